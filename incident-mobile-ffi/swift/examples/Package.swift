// swift-tools-version: 6.0
import PackageDescription

var targets: [Target] = [
    .target(name: "Reports", dependencies: [.product(name: "IncidentSync", package: "IncidentSync")]),
    .executableTarget(name: "Terminal", dependencies: ["Reports"]),
]
#if !os(Linux)
// Needs SwiftUI, which Linux has not.
targets.append(.executableTarget(name: "Phone", dependencies: ["Reports"]))
#endif

let package = Package(
    name: "Examples",
    platforms: [.macOS(.v12), .iOS(.v15)],
    dependencies: [.package(name: "IncidentSync", path: "..")],
    targets: targets
)
