// The records and enums are the core's own, field for field: these names are their home, `generated` is not.
package incidentsync

/** A report as an app's form gives it; nothing is checked yet. */
public typealias Draft = incidentsync.generated.Draft

/** What an app may set; what it leaves out is as it always is. */
public typealias OutboxSettings = incidentsync.generated.OutboxSettings

/** One broken rule of one field. */
public typealias Violation = incidentsync.generated.Violation

/** One report and what became of it. */
public typealias Entry = incidentsync.generated.Entry

/** Where an entry stands. */
public typealias EntryState = incidentsync.generated.EntryState

/** Why the server did not take a report. */
public typealias Problem = incidentsync.generated.Problem

/** What the server says about a settled report. */
public typealias Incident = incidentsync.generated.Incident

/** Where an incident stands on the server. */
public typealias IncidentStatus = incidentsync.generated.IncidentStatus

/** What the last sync did to the incident. */
public typealias Outcome = incidentsync.generated.Outcome

/** The queue of one reporter in numbers. */
public typealias Summary = incidentsync.generated.Summary

/** What was saved from a corrupt file. */
public typealias Recovery = incidentsync.generated.Recovery

/** What one answer did, and what is left. */
public typealias Progress = incidentsync.generated.Progress

/** What the queue waits for. */
public typealias WaitReason = incidentsync.generated.WaitReason

/** What is wrong with the token. */
public typealias SignInReason = incidentsync.generated.SignInReason

/** How a network fails. */
public typealias NetworkFailureKind = incidentsync.generated.NetworkFailureKind

/** A request to send, once the token is added. */
public typealias Upload = incidentsync.generated.Upload

/** A header of a request or an answer. */
public typealias Header = incidentsync.generated.Header

/** A payload in its canonical form. */
public typealias CanonicalPayload = incidentsync.generated.CanonicalPayload
