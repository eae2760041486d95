#!/bin/sh
# Remove images that this node no longer needs: prune.sh STACK IMAGE. Of the app's IMAGE, the last five
# stay. Of other images of the stack, those without a tag go, which newer ones have replaced. Docker
# keeps what has a container, and Swarm keeps the containers of what a roll-back needs.
set -eu
{
    docker images --quiet "$2" | uniq | sed 1,5d
    docker ps --all --filter "label=com.docker.stack.namespace=$1" --format '{{.Image}}' |
        sed 's/:[^:/]*$//' | sort -u | grep -vxF "$2" |
        xargs -I IMAGE docker images --quiet --filter dangling=true IMAGE
} | xargs --no-run-if-empty docker rmi >/dev/null 2>&1 || true # what has a container stays
