# The one door: `make` lists what there is.

SWIFT ?= swift
CLANG_FORMAT ?= clang-format
BUILD := $(SWIFT) build -c release
VGG = $$($(BUILD) --show-bin-path)/vgg

# What `make train` trains; replaced by make train ARGS="…".
ARGS ?= --recipe quick

# What make install installs, and where; DESTDIR goes before PREFIX, for packages.
PROGRAM ?= .build/release/vgg
PREFIX ?= /usr/local

# Photos need these; everything else does without. SwiftPM evaluates Package.swift again only if the environment
# changes, so the header files that it looks for are put there.
IMAGE_PACKAGES := libjpeg-dev libpng-dev libwebp-dev
# Homebrew's folders on Apple silicon, which the compiler and the linker do not search themselves.
HOMEBREW := $(wildcard /opt/homebrew)
ifneq ($(HOMEBREW),)
export CPATH := $(if $(CPATH),$(CPATH):)$(HOMEBREW)/include
export LIBRARY_PATH := $(if $(LIBRARY_PATH),$(LIBRARY_PATH):)$(HOMEBREW)/lib
endif
export VGG_IMAGE_HEADERS = $(wildcard $(foreach folder,/usr/include /usr/local/include $(subst :, ,$(CPATH)), \
    $(addprefix $(folder)/,jpeglib.h png.h webp/demux.h)))

# The server is a package of its own, in VGGServer.
SERVER := $(SWIFT) build -c release --package-path VGGServer

SWIFT_FOLDERS = Package.swift Sources Tests Benchmarks Scripts \
    VGGServer/Package.swift VGGServer/Sources VGGServer/Tests
C_FILES = $(shell find Sources Scripts -name '*.c' -o -name '*.h' -o -name '*.inc' -o -name '*.cl')

.DEFAULT_GOAL := help
.PHONY: help build images opencl mpi train reproduce server studio test test-server test-arm64 two-hosts \
    mca check-server check-studio install uninstall dist check-dist deb check-deb release \
    bench-server docs check-docs stale-builds format lint parity fuzz concurrency oclgrind cuda-compile roofline bench growth \
    bench-distributed bench-kernels bench-recipe accuracy conversion fine-tuning model record clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo '  make train ARGS="--arch vgg11_bn --width-divisor 4 --size 96" passes other options to vgg train'

build: ## build the program vgg and the library
	$(BUILD) --product vgg

install: ## install program, manual pages and completions (PREFIX=/usr/local, PROGRAM=.build/release/vgg)
	Scripts/install "$(PROGRAM)" "$(DESTDIR)$(PREFIX)"

uninstall: ## take away what make install puts below PREFIX
	Scripts/install --remove "$(DESTDIR)$(PREFIX)"

dist: ## build one file with everything inside, .build/dist/vgg, to be copied to other machines
	SWIFT=$(SWIFT) Scripts/dist

check-dist: dist ## run that file where there is nothing but it and the C library
	Scripts/dist-check

deb: dist ## make a Debian package of that file
	Scripts/deb

check-deb: deb ## install, run and remove the package in a fresh Debian (root and debootstrap)
	Scripts/deb-check

release: ## make a version: check all, write and tag it (VERSION=1.0.0; TEST="…" replaces the tests)
	Scripts/release "$(VERSION)"

images: ## install the libraries that photos need, with apt-get, and build
	as_root=; [ "$$(id -u)" = 0 ] || as_root=sudo; $$as_root apt-get update && \
	    $$as_root apt-get install -y --no-install-recommends $(IMAGE_PACKAGES)
	$(MAKE) build

opencl: ## install PoCL, which runs OpenCL on any processor, with apt-get; a GPU has a driver of its own
	as_root=; [ "$$(id -u)" = 0 ] || as_root=sudo; $$as_root apt-get update && \
	    $$as_root apt-get install -y --no-install-recommends pocl-opencl-icd ocl-icd-libopencl1

mpi: build ## install Open MPI with apt-get, and build: mpirun -n 2 vgg train …
	as_root=; [ "$$(id -u)" = 0 ] || as_root=sudo; $$as_root apt-get update && \
	    $$as_root apt-get install -y --no-install-recommends openmpi-bin

train: build ## get the data and train the quick recipe (ARGS="…" replaces it)
	@$(VGG) train $(ARGS)
	@echo
	@echo 'make reproduce is the experiment of the VGG chapter in full: ten epochs at 224×224. On this machine'
	@$(VGG) train --estimate

reproduce: build ## the experiment of the VGG chapter in full
	@$(VGG) train

server: ## build the program vgg-server
	$(SERVER) --product vgg-server

test: ## run all tests but the server's, which make test-server runs
	$(SWIFT) test -c release

test-server: ## run the server's tests, for which Hummingbird is built: minutes more
	$(SWIFT) test -c release --package-path VGGServer

test-arm64: ## run every kernel, compiled for 64-bit ARM, under qemu-user: the bits that it gives here
	Scripts/test-arm64

mca: ## what LLVM's models predict of the kernels on 64-bit ARM (needs llvm-mca: apt-get install llvm)
	python3 Scripts/checks/mca.py

two-hosts: build ## train on two network namespaces with a cable of 1 Gbit/s, and pull the cable (needs root)
	VGG=$(VGG) Scripts/two-hosts

studio: build server ## start server and studio with the model that ships and the runs in runs/ (SERVE="…" adds to it)
	@$$($(SERVER) --show-bin-path)/vgg-server --vgg $(VGG) $(SERVE)

check-server: build server ## let tritonclient and schemathesis judge the server (SERVER_CHECK="…")
	VGG=$(VGG) VGG_SERVER=$$($(SERVER) --show-bin-path)/vgg-server Scripts/server $(SERVER_CHECK)

check-studio: build server ## go through the studio with a headless Chromium (CHECK_STUDIO="--screenshots FOLDER")
	VGG=$(VGG) VGG_SERVER=$$($(SERVER) --show-bin-path)/vgg-server Scripts/studio $(CHECK_STUDIO)

bench-server: build server ## the server under load, beside vgg bench and FastAPI: ten minutes (BENCH="--seconds 60" PEERS="…")
	python3 Scripts/checks/server_load.py --vgg $(VGG) --server $$($(SERVER) --show-bin-path)/vgg-server $(BENCH)
	VGG=$(VGG) VGG_SERVER=$$($(SERVER) --show-bin-path)/vgg-server Scripts/server-peers $(PEERS)

docs: build ## build the library's documentation, a site for python3 -m http.server
	@Scripts/docs $$($(BUILD) --show-bin-path)

check-docs: ## run the long commands of README and docs too, and compare what they print: half an hour
	VGG_LONG_DOCS=1 $(SWIFT) test -c release --filter documentsShowWhatIsPrinted

stale-builds: ## show that a change in an inner module builds every program again (two builds)
	Scripts/stale-builds

format: clang-format ## format all sources
	$(SWIFT) format -i -r $(SWIFT_FOLDERS)
	$(CLANG_FORMAT) -i $(C_FILES)

lint: clang-format ## check the format of all sources
	$(SWIFT) format lint --strict -r $(SWIFT_FOLDERS)
	$(CLANG_FORMAT) --dry-run -Werror $(C_FILES)

parity: ## compute the golden files of the tests again, with PyTorch and Pillow
	Scripts/parity

fuzz: ## read damaged photos and weight files for ten minutes each, with libFuzzer
	Scripts/fuzz photos
	Scripts/fuzz weights

concurrency: ## eight tasks on one copy of the weights, under the thread sanitizer, and their memory
	Scripts/concurrency

oclgrind: ## run tiny cases of every OpenCL kernel under Oclgrind: races, bounds, and the same bits as PoCL's
	$(BUILD) --build-tests
	Scripts/oclgrind

cuda-compile: ## compile the OpenCL kernels as CUDA C++, and list the registers and memory they take: a minute
	Scripts/cuda-compile

roofline: build ## what a training step costs at least on two GPUs, on paper (ROOFLINE="-- --arch vgg16")
	VGG=$(VGG) Scripts/roofline $(ROOFLINE)

bench: build ## compare speed and memory with PyTorch, ONNX Runtime and OpenVINO (BENCH="…")
	VGG=$(VGG) Scripts/bench --json docs/benchmarks.json --chart docs/benchmarks.svg $(BENCH)

growth: build ## how time and memory of a step grow, beside PyTorch's: ten minutes (BENCH="…")
	VGG=$(VGG) Scripts/growth --json docs/growth.json --chart docs/growth.svg $(BENCH)

bench-distributed: build ## what several processes on one machine cost, beside PyTorch's: ten minutes (BENCH="…")
	VGG=$(VGG) Scripts/bench-distributed $(BENCH)

bench-kernels: ## the speed of each kernel alone (KERNELS="winograd 28" chooses rows)
	$(BUILD) --product KernelBenchmark
	@$$($(BUILD) --show-bin-path)/KernelBenchmark $(KERNELS)

bench-recipe: build ## what the record's recipe costs: loading, the average of the weights, AdamW (five minutes, BENCH="…")
	python3 Scripts/benchmarks/recipe.py --vgg $(VGG) $(BENCH)

accuracy: build ## compare test accuracies with PyTorch: an hour or two (BENCH="…")
	VGG=$(VGG) Scripts/accuracy $(BENCH)

conversion: build ## check vgg convert against torchvision, timm, onnx and ONNX Runtime: minutes an architecture
	VGG=$(VGG) Scripts/conversion $(CONVERSION)

fine-tuning: build ## fine-tune on a few photos a class beside training from scratch: some minutes
	VGG=$(VGG) Scripts/fine-tuning

# The runs of the record, the first of which becomes the model that ships.
RUNS ?= runs/seed0

model: build ## put the weights of a run into the program, as the model fashion-mnist (RUNS="runs/seed0")
	$(VGG) convert $(firstword $(RUNS)) Sources/CVGGModels/fashion-mnist.safetensors --dtype fp16

record: build ## write docs/records out of runs of --recipe fashion-mnist (RUNS="runs/seed0 runs/seed1")
	python3 Scripts/record.py --vgg $(VGG) $(RUNS)

clean: ## remove everything that was built
	$(SWIFT) package clean
	$(SWIFT) package clean --package-path VGGServer

.PHONY: clang-format
clang-format:
	@command -v $(CLANG_FORMAT) >/dev/null || \
	    { echo 'error: clang-format is missing; install it: apt-get install clang-format' >&2; exit 1; }
