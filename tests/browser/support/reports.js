// Reports as a phone sends them.

let lastMs = Date.now() - 3_600_000;

/** A report with sensible facts, each at a moment of its own; `changes` replace some of them. */
export function report(changes = {}) {
  lastMs += 1;
  return {
    locationId: "ward-7",
    roomNumber: "12B",
    gpsCoordinates: { type: "Point", coordinates: [12.4924, 41.8902] },
    isAnonymous: false,
    createdAt: new Date(lastMs).toISOString(),
    ...changes,
  };
}

/** Sends one payload and answers with the server's answer. */
export async function send(server, token, payload) {
  const answer = await post(server, token, "", payload);
  return answer.incident;
}

/** Sends many, in batches. */
export async function sendAll(server, token, payloads) {
  for (let first = 0; first < payloads.length; first += 500) {
    const { results } = await post(server, token, "/batch", { incidents: payloads.slice(first, first + 500) });
    const refused = results.find(({ httpStatus }) => httpStatus > 299);
    if (refused) throw new Error(`refused: ${JSON.stringify(refused)}`);
  }
}

async function post(server, token, path, body) {
  const response = await fetch(`${server.origin}/api/incidents/sync${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${response.status}: ${JSON.stringify(answer)}`);
  return answer;
}
