// Takes the picture of the README: a ward round's worth of reports, the hour before told as it would have been.
// Usage: node picture.js FILE [light|dark] [phone] [incident]

import { launch, live, openBoard, signIn } from "./support/browser.js";
import { report, sendAll } from "./support/reports.js";
import { Server } from "./support/server.js";

const [file, scheme = "light", ...wishes] = process.argv.slice(2);
const MINUTE_MS = 60_000;
const WARDS = ["ward-7", "emergency", "ward-3", "maternity", "radiology", "ward-12", "pharmacy", "operating-theatre-2", "canteen", "car-park-east", "dialysis", "physiotherapy"];
const REASONS = ["Resolved on site.", "False alarm: the door was wedged open.", "Duplicate of the report from the night shift."];

/** The same numbers at every run (mulberry32). */
function numbers(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function reports(nowMs, next) {
  return Array.from({ length: 96 }, (_, index) => {
    const agoMs = next() ** 1.3 * 58 * MINUTE_MS + 40_000;
    const anonymous = index % 4 === 3;
    const spread = () => (next() + next() - 1) * 0.0035;
    return report({
      locationId: WARDS[Math.floor(next() ** 1.7 * WARDS.length)],
      roomNumber: index % 5 ? `${1 + Math.floor(next() * 40)}${"ABC"[Math.floor(next() * 3)]}` : undefined,
      gpsCoordinates: { type: "Point", coordinates: [12.4924 + spread(), 41.8902 + spread()] },
      isAnonymous: anonymous,
      createdAt: new Date(index === 20 ? Date.UTC(2019, 0, 1) : nowMs - agoMs).toISOString(),
      cancellationReason: next() < 0.4 ? REASONS[Math.floor(next() * REASONS.length)] : undefined,
    });
  });
}

/** The server has just received everything; tells it as if most had come when they were written. */
function retold(incidents, next) {
  for (const incident of incidents) {
    const createdMs = Date.parse(incident.createdAt);
    const heldMs = next() < 0.2 ? next() * 25 * MINUTE_MS : 900;
    const receivedMs = incident.clockSuspect ? Date.now() - 9 * MINUTE_MS : Math.min(Date.now() - 1000, createdMs + heldMs);
    incident.receivedAt = new Date(receivedMs).toISOString();
    if (incident.cancelledAt) incident.cancelledAt = new Date(Math.min(Date.now() - 500, receivedMs + next() * 12 * MINUTE_MS)).toISOString();
  }
}

const server = await Server.start();
const browser = await launch();
try {
  const next = numbers(7);
  const all = reports(Date.now(), next);
  await sendAll(server, server.token("n.rossi"), all.slice(0, 50));
  await sendAll(server, server.token("m.okafor"), all.slice(50));
  const phone = wishes.includes("phone");
  const { page } = await openBoard(browser, server, {
    colorScheme: scheme, viewport: phone ? { width: 390, height: 844 } : { width: 1360, height: 900 }, deviceScaleFactor: phone ? 2 : 1,
  });
  await page.route(/incidents\?/, async (route) => {
    const response = await route.fetch();
    const json = await response.json();
    retold(json.incidents, numbers(11));
    await route.fulfill({ response, json });
  });
  if (!wishes.includes("sign-in")) {
    await signIn(page, server.token("responder", "incidents:read"));
    await live(page);
    await page.locator("#rows a").first().waitFor();
    await page.mouse.move(0, 0);
    await page.waitForTimeout(600);
    if (wishes.includes("incident")) {
      await page.locator(".row[data-status=Cancelled]").first().click();
      await page.locator(".timeline").waitFor();
    }
  }
  await page.screenshot({ path: file, fullPage: wishes.includes("full") });
} finally {
  await browser.close();
  await server.end();
}
