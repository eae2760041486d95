# shellcheck shell=sh
# Each script begins with this file. It changes into the project's folder, whatever the person who
# runs the script has in their environment.
unset CDPATH # with it, cd prints a path, or goes to another folder of the same name
caller=$PWD
cd "$(dirname "$0")/.." || exit

# On a server, `make ship` gives each release a folder, where .env is a link. Beside .env are the
# backups and the record of the deploys.
# shellcheck disable=SC2034 # scripts use it
if [ -L .env ]; then state=..; else state=.; fi

from_caller() { # FILE
    case $1 in /*) echo "$1" ;; *) echo "$caller/$1" ;; esac
}

fail() { # MESSAGE
    echo "$1" >&2
    exit 1
}

# End, which is a success in a workflow: it skips a step that has no settings.
skip() { # MESSAGE
    echo "$1"
    [ "${CI:-}" ] || exit 1
    exit 0
}

# Tell whether a text matches an extended regular expression as a whole, line feeds included.
matches() { # TEXT PATTERN
    printf '%s' "$1" | tr '\n' ' ' | grep -Eqx "$2"
}

is_version() { # TEXT
    number='(0|[1-9][0-9]{0,8})'
    matches "$1" "$number\.$number\.$number(-(a|alpha|b|beta|rc)(\.?$number)?)?"
}

# Print the tag of the newest release whose version begins with START. Pre-releases do not count.
newest_tag() { # [START]
    git for-each-ref --format '%(refname:lstrip=2)' --sort -version:refname "refs/tags/v${1:-[0-9]}*" | sed '/-/d; q'
}

setting() { # NAME OF A LINE IN .env
    sed -n "s/^$1=//p" .env
}

image_of() { # SERVICE [PreviousSpec]
    docker service inspect --format "{{with .${2:-Spec}}}{{.TaskTemplate.ContainerSpec.Image}}{{end}}" \
        "$(sh bin/project name)_$1" 2>/dev/null
}

# Print the tag of the image of a service, without its digest.
tag_of() { # SERVICE [PreviousSpec]
    image_of "$@" | sed 's|.*/||; s|^[^:]*:||; s|@.*||'
}

# Ask the node of the proxy, whatever DNS says, for /readyz.
ask() { # OPTION-OF-CURL...
    address=$(docker node inspect --format '{{.Status.Addr}}' \
        "$(docker node ls --quiet --filter node.label=proxy=true | head -n 1)")
    curl --show-error --max-time 5 --noproxy '*' --connect-to "::$address:" "$@" "$(setting PUBLIC_URL)/readyz"
}

# Fail unless $PUBLIC_URL is a URL that Caddy can serve.
check_public_url() { # WHAT-FAILED
    matches "$PUBLIC_URL" 'https?://[A-Za-z0-9._-]+(:[0-9]{1,5})?' ||
        fail "$1: PUBLIC_URL is not valid: '$PUBLIC_URL' (expected a URL without a path, such as https://www.example.com)."
}

# Fail with git's own message unless this folder is the root of a git repository.
check_repository() { # WHAT-FAILED
    prefix=$(git rev-parse --show-prefix 2>&1) || fail "$1: $prefix"
    [ -z "$prefix" ] ||
        fail "$1: this folder is not the root of its git repository, whose tags may be those of another project."
}
