# shellcheck shell=bash
# What the scripts share. To be sourced, not run: it sets repo_root and defines functions.
# Everything said goes to stderr; stdout belongs to the programs.

repo_root="$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")"

say() { printf '%s\n' "$*" >&2; }
headline() { printf '\n== %s\n' "$*" >&2; }
die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# What every build needs; the numbers are those of Debian 12.
# shellcheck disable=SC2034  # read by the scripts that source this
build_packages=(
    g++ cmake ninja-build pkg-config
    libboost1.81-dev libboost-json1.81-dev libssl-dev libsqlite3-dev zlib1g-dev
    prometheus-cpp-dev libcli11-dev libtomlplusplus-dev
    libcurl4-openssl-dev libpq-dev
)

as_root() {
    if [[ $EUID -eq 0 ]]; then
        "$@"
    else
        sudo "$@"
    fi
}

is_installed() {
    local status
    status="$(dpkg-query -W -f='${db:Status-Status}\n' "$1" 2>/dev/null)" || return 1
    grep -qx installed <<<"$status"
}

# Debian starts a service when its package is installed. We need the programs only, so the units
# are masked while a package of ours comes in and left disabled; one that was there before is not
# touched. RUNLEVEL=1 says the same to machines without systemd.
services_of_packages=(prometheus postgresql)

install_quietly() {
    local package masked=()
    if [[ -d /run/systemd/system ]]; then
        for package in "${services_of_packages[@]}"; do
            [[ " $* " == *" $package "* ]] && masked+=("$package.service")
        done
    fi
    ((${#masked[@]} == 0)) || as_root systemctl mask --runtime --quiet "${masked[@]}"

    local status=0
    as_root env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 "$@" >&2 ||
        status=$?

    if ((${#masked[@]} > 0)); then
        as_root systemctl unmask --runtime --quiet "${masked[@]}"
        as_root systemctl disable --quiet "${masked[@]}" || true
    fi
    return "$status"
}

# need_packages NAME...: installs the Debian packages that are missing, and only those.
# FENCEGATE_SKIP_INSTALL=1 trusts that the machine has what is needed under other names.
need_packages() {
    [[ ${FENCEGATE_SKIP_INSTALL:-0} == 1 ]] && return 0
    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
        die "this machine has no apt-get. Install what Debian 12 calls: $*
then run this again with FENCEGATE_SKIP_INSTALL=1."
    fi

    local package missing=()
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    ((${#missing[@]} == 0)) && return 0

    headline "Installing ${#missing[@]} missing packages: ${missing[*]}"
    if [[ $EUID -ne 0 ]] && ! command -v sudo >/dev/null; then
        die "neither root nor sudo. Let an administrator run: apt-get install ${missing[*]}"
    fi
    as_root apt-get update -q -o DPkg::Lock::Timeout=300 >&2 ||
        say "apt-get update failed; going on with the package lists that are here"
    install_quietly "${missing[@]}" || die "could not install: ${missing[*]}
fencegate is built and tested on Debian 12 (bookworm); see the message of apt-get above."
}

# One compiler a core, but at most one for each 1.5 GB of free memory: Beast and Asio are large.
build_jobs() {
    local cores by_memory
    cores="$(nproc)"
    by_memory="$(awk '/^MemAvailable:/ { print int($2 / 1500000) }' /proc/meminfo)"
    if ((by_memory < 1)); then by_memory=1; fi
    echo $((cores < by_memory ? cores : by_memory))
}

# build PRESET [FOLDER [CMAKE_OPTION...]]: configures and compiles; FOLDER defaults to build/PRESET.
build() {
    local preset="$1" folder="${2:-$repo_root/build/$1}"
    cmake -S "$repo_root" --preset "$preset" -B "$folder" --log-level=WARNING "${@:3}" >&2 &&
        cmake --build "$folder" --parallel "$(build_jobs)" >&2
}
