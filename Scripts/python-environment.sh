# Sourced by the other scripts: one Python environment for all, with the packages of requirements.txt, or of another such
# file that a script names. It lies in
# VGG_PYTHON_VENV (default: swift-vgg/venv in the user's cache).

venv=${VGG_PYTHON_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/swift-vgg/venv}
export PYTHONDONTWRITEBYTECODE=1

# prepare_python SCRIPTS [FILE] makes the environment and installs what is missing; SCRIPTS is this file's folder.
prepare_python() {
    # Where Debian's python3-venv was missing, the first attempt left an environment without pip.
    "$venv/bin/python" -m pip --version >/dev/null 2>&1 || python3 -m venv --clear "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$1/${2:-requirements.txt}"
    export PYTHONPATH="$1"
}
