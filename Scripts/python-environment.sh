# Sourced by the other scripts.

# prepare_python VENV REQUIREMENTS makes the virtual environment and installs the packages, where they are missing.
prepare_python() {
    # Where Debian's python3-venv was missing, the first attempt left an environment without pip.
    "$1/bin/python" -m pip --version >/dev/null 2>&1 || python3 -m venv --clear "$1"
    "$1/bin/python" -m pip install --quiet --disable-pip-version-check -r "$2"
}
