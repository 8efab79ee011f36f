// swift-tools-version: 6.0
import PackageDescription

#if os(Linux)
// The header, and the static library wherever the linker is told to look:
// swift build -Xlinker -L/folder/of/libincident_mobile_ffi.a
func native(_ name: String, library: String) -> Target {
    .target(
        name: name,
        linkerSettings: [
            .linkedLibrary(library),
            .linkedLibrary("pthread"),
            .linkedLibrary("dl"),
            .linkedLibrary("m"),
        ]
    )
}
// Apple's App Store alone reads it.
let privacy: (without: [String], with: [Resource]) = (["PrivacyInfo.xcprivacy"], [])
#else
// Made by ./build-xcframework.
func native(_ name: String, library: String) -> Target {
    .binaryTarget(name: name, path: name + ".xcframework")
}
let privacy: (without: [String], with: [Resource]) = ([], [.copy("PrivacyInfo.xcprivacy")])
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
        native("IncidentMobileFFI", library: "incident_mobile_ffi"),
        native("IncidentMobileTestingFFI", library: "incident_mobile_testing"),
        .target(
            name: "IncidentSyncGenerated",
            dependencies: ["IncidentMobileFFI"],
            swiftSettings: [.swiftLanguageMode(.v5)]
        ),
        .target(
            name: "IncidentSync",
            dependencies: ["IncidentSyncGenerated"],
            exclude: privacy.without,
            resources: privacy.with,
            swiftSettings: [.swiftLanguageMode(.v6)]
        ),
        .target(
            name: "IncidentSyncTestingGenerated",
            dependencies: ["IncidentMobileTestingFFI"],
            swiftSettings: [.swiftLanguageMode(.v5)]
        ),
        .target(
            name: "IncidentSyncTesting",
            dependencies: ["IncidentSync", "IncidentSyncGenerated", "IncidentSyncTestingGenerated"],
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
