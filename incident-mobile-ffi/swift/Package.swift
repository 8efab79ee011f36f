// swift-tools-version: 6.0
import PackageDescription

#if os(Linux)
// The header, and the static library wherever the linker is told to look:
// swift build -Xlinker -L/folder/of/libincident_mobile_ffi.a
let native: Target = .target(
    name: "IncidentMobileFFI",
    linkerSettings: [
        .linkedLibrary("incident_mobile_ffi"),
        .linkedLibrary("pthread"),
        .linkedLibrary("dl"),
        .linkedLibrary("m"),
    ]
)
#else
// Made by ./build-xcframework.
let native: Target = .binaryTarget(name: "IncidentMobileFFI", path: "IncidentMobileFFI.xcframework")
#endif

let package = Package(
    name: "IncidentSync",
    platforms: [.macOS(.v12), .iOS(.v15)],
    products: [
        .library(name: "IncidentSync", targets: ["IncidentSync"]),
        // For an app's test target.
        .library(name: "IncidentSyncTesting", targets: ["IncidentSyncTesting"]),
    ],
    targets: [
        native,
        .target(
            name: "IncidentSyncGenerated",
            dependencies: ["IncidentMobileFFI"],
            swiftSettings: [.swiftLanguageMode(.v5)]
        ),
        .target(
            name: "IncidentSync",
            dependencies: ["IncidentSyncGenerated"],
            swiftSettings: [.swiftLanguageMode(.v6)]
        ),
        .target(
            name: "IncidentSyncTesting",
            dependencies: ["IncidentSync", "IncidentSyncGenerated"],
            swiftSettings: [.swiftLanguageMode(.v6)]
        ),
        .executableTarget(
            name: "Example",
            dependencies: ["IncidentSync"],
            swiftSettings: [.swiftLanguageMode(.v6)]
        ),
        .testTarget(
            name: "IncidentSyncTests",
            dependencies: ["IncidentSync", "IncidentSyncTesting"],
            swiftSettings: [.swiftLanguageMode(.v5)]
        ),
    ]
)
