#!/usr/bin/env bash
# A step of action.yml: starts a server that lives as long as the job, and tells where it is when it answers.
set -euo pipefail
folder="$RUNNER_TEMP/vcenter"
mkdir -p "$folder"
password="${ACTION_PASSWORD:-$(python3 -c 'import secrets; print(secrets.token_urlsafe(15) + "1a!")')}"
echo "::add-mask::$password"
said="$folder/resphere.out"
: > "$said"
read -ra arguments <<< "${ACTION_ARGUMENTS:-}"
RESPHERE_ADMIN_PASSWORD="$password" nohup resphere serve \
    --port "${ACTION_PORT:-0}" --data-dir "$folder/data" "${arguments[@]}" < /dev/null > "$said" 2>&1 &
server=$!
url=
while [[ -z $url ]]; do
    if ! kill -0 "$server" 2> /dev/null; then
        echo "::error::the vCenter did not start" >&2
        cat "$said" >&2
        exit 1
    fi
    sleep 0.1
    # The banner is written when the port listens.
    url=$(sed -n 's/^resphere serves.* at //p' "$said")
done
{
    echo "url=$url"
    echo "user=administrator@vsphere.local"
    echo "password=$password"
    echo "ca=$folder/data/tls/ca.pem"
    echo "log=$said"
} >> "$GITHUB_OUTPUT"
{
    echo "VSPHERE_SERVER=${url#*://}"
    echo "VSPHERE_USER=administrator@vsphere.local"
    echo "VSPHERE_PASSWORD=$password"
} >> "$GITHUB_ENV"
