// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "swift-vgg",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "VGGKit", targets: ["VGGKit"]),
        .executable(name: "vgg", targets: ["VGGTool"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.0.0"),
    ],
    targets: [
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(name: "CVGGKernels"),
        .target(name: "VGGFiles"),
        .target(name: "VGGModel"),
        .target(name: "VGGEngine", dependencies: ["VGGModel", "CVGGKernels"]),
        .target(name: "VGGFormats", dependencies: ["VGGFiles", "VGGModel"]),
        .target(
            name: "VGGData",
            dependencies: [
                "VGGFiles", "VGGModel", "CZlib", .product(name: "Crypto", package: "swift-crypto"),
            ]),
        .target(name: "VGGPictures", dependencies: ["CZlib"]),
        .target(
            name: "VGGTraining",
            dependencies: ["VGGFiles", "VGGModel", "VGGEngine", "VGGFormats", "VGGData", "VGGPictures"]),
        .target(
            name: "VGGKit",
            dependencies: [
                "VGGFiles", "VGGModel", "VGGEngine", "VGGFormats", "VGGData", "VGGPictures", "VGGTraining",
            ]),
        .executableTarget(
            name: "VGGTool",
            dependencies: [
                "VGGKit", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "KernelBenchmark", dependencies: ["CVGGKernels"], path: "Benchmarks/KernelBenchmark"),
        .testTarget(name: "VGGFilesTests", dependencies: ["VGGFiles"]),
        .testTarget(name: "VGGModelTests", dependencies: ["VGGModel"], resources: [.copy("Goldens")]),
        .testTarget(
            name: "VGGEngineTests", dependencies: ["VGGData", "VGGEngine", "VGGFormats", "VGGModel"],
            resources: [.copy("Goldens")]),
        .testTarget(
            name: "VGGDataTests", dependencies: ["VGGData", "VGGModel"], resources: [.copy("Goldens")]),
        .testTarget(
            name: "VGGFormatsTests", dependencies: ["VGGFormats", "VGGModel"], resources: [.copy("Goldens")]),
        .testTarget(name: "VGGPicturesTests", dependencies: ["VGGPictures"]),
        .testTarget(
            name: "VGGTrainingTests", dependencies: ["VGGTraining"], resources: [.copy("Goldens")]),
        .testTarget(name: "VGGToolTests", dependencies: ["VGGKit", "VGGTool"]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c11
)
