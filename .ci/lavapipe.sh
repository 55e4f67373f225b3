#!/usr/bin/env bash
# Puts Mesa's Vulkan driver for processors into a folder and prints the file that names it, for DSC_LAVAPIPE. Debian 12's own is too old
# for Dawn: the library is taken out of the package of bookworm-backports, the system keeps what it has.
# Usage, as root: .ci/lavapipe.sh FOLDER
set -euo pipefail
mkdir -p "${1:?a folder}"
folder=$(cd "$1" && pwd)
icd=$folder/lavapipe.json
if [ ! -s "$icd" ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  mkdir -p "$work/lists/partial" "$work/files"
  # What the newer library needs, the older package brings along.
  DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends libvulkan1 mesa-vulkan-drivers >&2
  # The backports of the same mirror, in lists of our own.
  mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -oE 'https?://[^ ]+/debian/?( |$)' | head -1 | tr -d ' ' || true)
  signed=/usr/share/keyrings/debian-archive-keyring.gpg
  echo "deb [signed-by=$signed] ${mirror:-http://deb.debian.org/debian} bookworm-backports main" >"$work/backports.list"
  apt=(apt-get -qq -o APT::Sandbox::User=root -o "Dir::Etc::sourcelist=$work/backports.list" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::Lists=$work/lists")
  "${apt[@]}" update >&2
  (cd "$work" && "${apt[@]}" download mesa-vulkan-drivers/bookworm-backports >&2)
  dpkg-deb -x "$work"/mesa-vulkan-drivers_*.deb "$work/files"
  cp "$(find "$work/files" -name libvulkan_lvp.so | head -1)" "$folder/"
  echo '{"file_format_version":"1.0.0","ICD":{"library_path":"./libvulkan_lvp.so","api_version":"1.4.305"}}' >"$icd"
fi
echo "$icd"
