// A terminal that reports, and shows what becomes of it: swift run Terminal FILE SERVER REPORTER TOKEN
//
// The list follows every change of the file, by whatever process: start it twice.

import Foundation
import IncidentSync
import Reports

@main
@MainActor
struct Main {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 5, let server = URL(string: arguments[2]) else {
            fatalError("usage: Terminal FILE SERVER REPORTER TOKEN")
        }
        let outbox = try await Outbox.open(path: arguments[1], reporter: arguments[3])
        let token = arguments[4]
        let reports = Reports(outbox: outbox, transport: URLSessionTransport(baseURL: server) { token })
        try await Keyboard.each { keys in
            try await Terminal(reports).run(keys)
        }
        try await outbox.close()
    }
}

/// What stands on the screen, and what the keys do.
@MainActor
final class Terminal {
    private let reports: Reports
    private var form: String?

    init(_ reports: Reports) {
        self.reports = reports
    }

    func run(_ keys: AsyncStream<Character>) async throws {
        reports.onChange = { [weak self] in self?.draw() }
        let following = Task { try await reports.follow() }
        for await key in keys {
            if form == nil && key == "q" { break }
            await press(key)
            draw()
        }
        following.cancel()
        try await following.value
    }

    private func press(_ key: Character) async {
        switch (form, key) {
        case (let place?, _): await write(key, behind: place)
        case (nil, "r"): form = ""
        case (nil, "a"): await reports.turn(airplane: !reports.isAirplane)
        case (nil, "c"):
            if let newest = reports.entries.first {
                await reports.callOff(newest, reason: "called off at the terminal")
            }
        case (nil, "s"): Task { await reports.sync() }
        default: break
        }
    }

    private func write(_ key: Character, behind place: String) async {
        switch key {
        case "\r", "\n":
            form = nil
            await reports.report(Draft(locationId: place, longitude: 12.4924, latitude: 41.8902))
        case "\u{1b}": form = nil
        case "\u{7f}", "\u{8}": form = String(place.dropLast())
        default: form = place + String(key)
        }
    }

    private func draw() {
        guard let counts = reports.counts else { return }
        var lines = [
            "\(counts.pending) to go   \(counts.settled) settled   \(counts.quarantined) refused"
                + (reports.isAirplane ? "   ✈ airplane mode" : ""),
            "",
        ]
        for entry in reports.entries {
            let place = entry.locationId.padding(toLength: 24, withPad: " ", startingAt: 0)
            lines.append(" \(mark(entry.state)) \(clock(entry.createdAt))  \(place)  \(entry.standing)")
        }
        let keys = "r report   c call off the newest   s sync   a airplane mode   q quit"
        lines += ["", reports.words, form.map { "where? \($0)▏   Enter reports, Esc does not" } ?? keys]
        show("\u{1b}[H\u{1b}[2J" + lines.joined(separator: "\r\n"))
    }
}

private func mark(_ state: EntryState) -> String {
    switch state {
    case .pending: return "·"
    case .sending: return "↑"
    case .settled: return "✓"
    case .quarantined: return "!"
    }
}

private func show(_ text: String) {
    FileHandle.standardOutput.write(Data(text.utf8))
}
