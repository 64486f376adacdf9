// swift-tools-version: 6.1
import Foundation
import PackageDescription

/// The system's libraries that decode photos. Each is used where its header files are, and not missed where
/// they are not: photos of that kind are then refused with the name of the package to install.
///
/// Beside the folders that the compiler always searches these are the ones of `CPATH`, such as Homebrew's on Apple silicon.
///
/// SwiftPM keeps what this file evaluated to for as long as neither it nor the environment changes; the Makefile
/// therefore puts the files that it found into the environment.
let imageLibraries = [
    (name: "JPEG", header: "jpeglib.h", libraries: ["jpeg"]),
    (name: "PNG", header: "png.h", libraries: ["png"]),
    (name: "WEBP", header: "webp/demux.h", libraries: ["webp", "webpdemux"]),
].filter { library in
    let others = ProcessInfo.processInfo.environment["CPATH"]?.split(separator: ":").map(String.init) ?? []
    return (["/usr/include", "/usr/local/include"] + others).contains { folder in
        FileManager.default.fileExists(atPath: "\(folder)/\(library.header)")
    }
}

let package = Package(
    name: "swift-vgg",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
    ],
    targets: [
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(name: "CVGGKernels"),
        .target(
            name: "CVGGImages", cSettings: imageLibraries.map { .define("VGG_HAS_\($0.name)") },
            linkerSettings: imageLibraries.flatMap(\.libraries).map { .linkedLibrary($0) }),
        // The weights are put into the program by the compiler.
        .target(name: "CVGGModels", exclude: ["fashion-mnist.safetensors"]),
        .target(name: "VGGFiles"),
        .target(name: "VGGModel", dependencies: ["VGGFiles"]),
        .target(name: "VGGEngine", dependencies: ["VGGModel"]),
        .target(name: "VGGCPU", dependencies: ["VGGEngine", "VGGModel", "CVGGKernels"]),
        .target(name: "COpenCL"),
        .target(name: "CMPI"),
        .target(name: "VGGDistributed", dependencies: ["VGGEngine", "CMPI"]),
        .target(
            name: "VGGOpenCL", dependencies: ["VGGFiles", "VGGEngine", "VGGModel", "VGGCPU", "COpenCL"],
            resources: [.embedInCode("Kernels")]),
        .target(name: "VGGDevices", dependencies: ["VGGEngine", "VGGCPU", "VGGOpenCL"]),
        .target(name: "VGGFormats", dependencies: ["VGGFiles", "VGGModel", "CZlib"]),
        .target(name: "VGGImages", dependencies: ["VGGFiles", "VGGModel", "CVGGImages"]),
        .target(name: "VGGData", dependencies: ["VGGFiles", "VGGImages", "VGGModel", "CZlib"]),
        .target(name: "VGGPictures", dependencies: ["VGGFiles", "VGGModel", "CZlib"]),
        .target(
            name: "VGGInference",
            dependencies: ["VGGFiles", "VGGImages", "VGGModel", "VGGEngine", "VGGFormats", "CVGGModels"]),
        .target(
            name: "VGGPerception",
            dependencies: ["VGGFiles", "VGGImages", "VGGModel", "VGGEngine", "VGGFormats"]),
        .target(
            name: "VGGTraining",
            dependencies: [
                "VGGFiles", "VGGImages", "VGGModel", "VGGEngine", "VGGDevices", "VGGDistributed",
                "VGGFormats",
                "VGGData", "VGGInference", "VGGPictures",
            ]),
        .target(
            name: "VGGKit",
            dependencies: [
                "VGGFiles", "VGGImages", "VGGModel", "VGGEngine", "VGGCPU", "VGGOpenCL", "VGGDevices",
                "VGGDistributed", "VGGFormats", "VGGData", "VGGInference", "VGGPerception", "VGGPictures",
                "VGGTraining",
            ]),
        .executableTarget(
            name: "VGGTool",
            dependencies: [
                "VGGKit", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "KernelBenchmark", dependencies: ["CVGGKernels"], path: "Benchmarks/KernelBenchmark"),
        .target(name: "VGGTestSupport", path: "Tests/VGGTestSupport"),
        .testTarget(name: "VGGTestSupportTests", dependencies: ["VGGTestSupport"]),
        .testTarget(name: "VGGFilesTests", dependencies: ["VGGFiles", "VGGTestSupport"]),
        .testTarget(
            name: "VGGImagesTests", dependencies: ["VGGFiles", "VGGImages", "VGGTestSupport"],
            resources: [.copy("Goldens")]),
        .testTarget(
            name: "VGGModelTests", dependencies: ["VGGModel"], resources: [.copy("Goldens")]),
        .testTarget(
            name: "VGGEngineTests",
            dependencies: [
                "VGGCPU", "VGGData", "VGGEngine", "VGGFormats", "VGGImages", "VGGInference", "VGGModel",
                "VGGOpenCL", "VGGTestSupport",
            ],
            resources: [.copy("Goldens")]),
        .testTarget(
            name: "VGGCPUTests",
            dependencies: ["CVGGKernels", "VGGCPU", "VGGDevices", "VGGEngine", "VGGModel"]),
        .testTarget(
            name: "VGGOpenCLTests",
            dependencies: ["COpenCL", "VGGCPU", "VGGEngine", "VGGModel", "VGGOpenCL", "VGGTestSupport"]),
        .testTarget(
            name: "VGGPerceptionTests",
            dependencies: [
                "VGGCPU", "VGGEngine", "VGGFiles", "VGGFormats", "VGGImages", "VGGModel", "VGGPerception",
                "VGGTestSupport",
            ],
            resources: [.copy("Goldens")]),
        .testTarget(
            name: "VGGDataTests",
            dependencies: ["VGGData", "VGGFiles", "VGGImages", "VGGModel", "VGGTestSupport"],
            resources: [.copy("Goldens")]),
        .testTarget(
            name: "VGGFormatsTests", dependencies: ["VGGFiles", "VGGFormats", "VGGModel"],
            resources: [.copy("Goldens")]),
        .testTarget(name: "VGGPicturesTests", dependencies: ["VGGModel", "VGGPictures"]),
        .testTarget(
            name: "VGGTrainingTests",
            dependencies: [
                "VGGCPU", "VGGData", "VGGDistributed", "VGGEngine", "VGGFiles", "VGGFormats", "VGGImages",
                "VGGInference", "VGGModel", "VGGPictures", "VGGTestSupport", "VGGTraining",
            ],
            resources: [.copy("Goldens")]),
        .testTarget(
            name: "VGGToolTests", dependencies: ["VGGKit", "VGGTestSupport", "VGGTool"],
            resources: [.copy("Goldens")]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c11
)

// SwiftPM compiles a target again when a module that the target names has changed, and not when one has that lies
// behind a module which stays as it was, such as VGGKit, which only re-exports: a program would go on with the
// layout that a type had before (Scripts/stale-builds shows it). Above, a target names what it imports; here
// each, and the library for programs elsewhere, is given all that it reaches.
extension Target {
    var named: [String] {
        dependencies.compactMap { if case .byNameItem(let name, _) = $0 { name } else { nil } }
    }

    func reached(in targets: [Target]) -> Set<String> {
        targets.filter { named.contains($0.name) }.reduce(into: Set(named)) {
            $0.formUnion($1.reached(in: targets))
        }
    }
}

for target in package.targets {
    let names = target.reached(in: package.targets).subtracting(target.named)
    target.dependencies += names.sorted().map { .byName(name: $0) }
}
package.products = [
    .library(
        name: "VGGKit",
        targets: package.targets.filter { $0.name == "VGGKit" }.flatMap { [$0.name] + $0.named }
            .filter { $0.hasPrefix("VGG") }),
    .executable(name: "vgg", targets: ["VGGTool"]),
]
