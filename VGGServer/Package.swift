// swift-tools-version: 6.2
import PackageDescription

/// What the server, its program and its tests are made of.
let libraries: [Target.Dependency] = [
    .product(name: "VGGKit", package: "swift-vgg"),
    .product(name: "HTTPTypes", package: "swift-http-types"),
    .product(name: "Hummingbird", package: "hummingbird"),
    .product(name: "HummingbirdCore", package: "hummingbird"),
    .product(name: "HummingbirdTLS", package: "hummingbird"),
    .product(name: "Logging", package: "swift-log"),
    .product(name: "CoreMetrics", package: "swift-metrics"),
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
    .product(name: "NIOSSL", package: "swift-nio-ssl"),
    .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
]

let package = Package(
    name: "vgg-server",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "vgg-server", targets: ["vgg-server"])
    ],
    dependencies: [
        .package(name: "swift-vgg", path: ".."),
        .package(
            url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0",
            traits: ["FullFoundation"]),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.6.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.3.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.5.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.80.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.25.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.2"),
    ],
    targets: [
        .systemLibrary(name: "CServerZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(
            name: "VGGServer", dependencies: ["CServerZlib"] + libraries,
            // The studio's page is a part of the program.
            resources: [.embedInCode("Studio/Page")]),
        .executableTarget(
            name: "vgg-server",
            dependencies: ["VGGServer", .product(name: "ArgumentParser", package: "swift-argument-parser")]
                + libraries),
        .testTarget(
            name: "VGGServerTests", dependencies: ["VGGServer"] + libraries, resources: [.copy("Goldens")]),
    ],
    swiftLanguageModes: [.v6]
)
