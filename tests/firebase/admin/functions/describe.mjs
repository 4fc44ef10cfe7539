// Values as JSON that tells apart what JSON does not, and says nothing of what differs from run to run.
const numbers = (value) => (Object.is(value, -0) ? '-0' : Number.isFinite(value) ? value : String(value));

export function describe(value, seen = new Set()) {
  if (value === undefined) return '<undefined>';
  if (typeof value === 'number') return numbers(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return '<function>';
  if (value === null || typeof value !== 'object') return value;
  if (seen.has(value)) return '<circle>';
  const deeper = new Set(seen).add(value);
  if (value instanceof Error) return failure(value);
  if (value instanceof Date) return `Date ${value.toISOString()}`;
  if (value instanceof Uint8Array) return `${value.constructor.name} ${[...value].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
  if (Array.isArray(value)) return value.map((each) => describe(each, deeper));
  const name = value.constructor?.name ?? 'null';
  if (name === 'Timestamp') return `Timestamp ${value.seconds} ${value.nanoseconds}`;
  if (name === 'GeoPoint') return `GeoPoint ${value.latitude} ${value.longitude}`;
  if (name === 'VectorValue') return `VectorValue ${value.toArray().map(numbers).join(' ')}`;
  if (name === 'DocumentReference' || name === 'CollectionReference') return `${name} ${value.path}`;
  const fields = Object.fromEntries(Object.keys(value).sort().map((key) => [key, describe(value[key], deeper)]));
  return name === 'Object' || name === 'null' ? fields : { [name]: fields };
}

// Codes and words of an error, and not its stack.
export function failure(error) {
  const { code, message, details, failedAttempts, operationType } = error;
  return { error: Object.fromEntries(Object.entries({ code, message, details, failedAttempts, operationType }).filter(([, of]) => of !== undefined)) };
}
