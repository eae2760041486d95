#!/bin/sh
# The Azure VMs with the tag app=NAME, where NAME is the project's name in pyproject.toml:
#   az login
#   make ship HOSTS=deploy/inventory/azure.sh
# Ansible runs this script and reads the JSON. The first VM by name becomes the manager of the swarm.
set -eu
name=$(sh "$(dirname "$0")/../../bin/project" name)
addresses=$(az vm list --show-details --query "sort_by([?tags.app=='$name'], &name)[].publicIps" --output tsv)
echo "$addresses" | awk -F , '
    BEGIN { printf "{\"_meta\": {\"hostvars\": {}}, \"all\": {\"hosts\": [" }
    NF { printf "%s\"%s\"", comma, $1; comma = ", " }
    END { print "]}}" }'
