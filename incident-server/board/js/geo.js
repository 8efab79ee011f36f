// Distances and positions on a small part of the globe, taken as flat around one point.

const METRES_A_DEGREE = 111_195;

/** East and north of `centre`, in metres; the shorter way around the date line. */
export function offset(centre, point) {
  const eastDegrees = ((point.longitude - centre.longitude + 540) % 360) - 180;
  return {
    east: eastDegrees * METRES_A_DEGREE * Math.cos((centre.latitude * Math.PI) / 180),
    north: (point.latitude - centre.latitude) * METRES_A_DEGREE,
  };
}

/** Great-circle distance in metres (haversine). */
export function distance(one, other) {
  const radians = (degrees) => (degrees * Math.PI) / 180;
  const [lat, lon] = [radians(other.latitude - one.latitude), radians(other.longitude - one.longitude)];
  const half = Math.sin(lat / 2) ** 2
    + Math.cos(radians(one.latitude)) * Math.cos(radians(other.latitude)) * Math.sin(lon / 2) ** 2;
  return 2 * 6_371_008.8 * Math.asin(Math.min(1, Math.sqrt(half)));
}

/** Such as `NE`. */
export function direction({ east, north }) {
  const eighth = Math.round((Math.atan2(east, north) * 4) / Math.PI);
  return ["N", "NE", "E", "SE", "S", "SW", "W", "NW"][(eighth + 8) % 8];
}

/** Such as `350 m` or `1.2 km`. */
export function length(metres) {
  if (metres < 1000) return `${Math.round(metres)} m`;
  const kilometres = metres / 1000;
  return `${kilometres < 10 ? Number(kilometres.toFixed(1)) : Math.round(kilometres).toLocaleString()} km`;
}

/** Degrees east and north for so many metres. */
export function degrees(centre, metres) {
  const shrunk = Math.max(0.01, Math.cos((centre.latitude * Math.PI) / 180));
  return { east: metres / METRES_A_DEGREE / shrunk, north: metres / METRES_A_DEGREE };
}
