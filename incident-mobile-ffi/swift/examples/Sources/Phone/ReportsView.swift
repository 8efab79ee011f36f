import IncidentSync
import Reports
import SwiftUI

struct ReportsView: View {
    @StateObject private var model = Model()

    var body: some View {
        VStack {
            if let reports = model.reports {
                Text(counts(reports)).font(.headline)
                ReportForm(reports: reports)
                list(reports)
                Text(reports.words)
                controls(reports)
            } else {
                Text(model.failure ?? "")
            }
        }
        .padding()
        .task { await model.run() }
    }

    private func counts(_ reports: Reports) -> String {
        guard let counts = reports.counts else { return "" }
        return "\(counts.pending) to go   \(counts.settled) settled   \(counts.quarantined) refused"
    }

    private func list(_ reports: Reports) -> some View {
        List(reports.entries, id: \.key) { entry in
            HStack {
                Text(entry.locationId)
                Spacer()
                Text(clock(entry.createdAt))
                Text(entry.standing)
            }
            .swipeActions {
                Button("Call off") {
                    Task { await reports.callOff(entry, reason: "called off on the phone") }
                }
            }
        }
    }

    private func controls(_ reports: Reports) -> some View {
        HStack {
            Toggle("Airplane mode", isOn: Binding(
                get: { reports.isAirplane },
                set: { isOn in Task { await reports.turn(airplane: isOn) } }
            ))
            Button("Sync") { Task { await reports.sync() } }
        }
    }
}

struct ReportForm: View {
    let reports: Reports
    @State private var place = ""
    @State private var isAnonymous = false

    var body: some View {
        HStack {
            TextField("Where is it?", text: $place)
            Toggle("Without my name", isOn: $isAnonymous)
            Button("Report") {
                // A real app asks the phone where it is.
                let draft = Draft(
                    locationId: place, longitude: 12.4924, latitude: 41.8902, isAnonymous: isAnonymous
                )
                place = ""
                Task { await reports.report(draft) }
            }
        }
    }
}
