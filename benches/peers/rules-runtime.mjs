// Stands in for the Java program by which Google's storage emulator evaluates rules, which cannot be installed by npm: it permits
// everything, at once. What is measured beside it is a lower bound of the emulator's own time.
import { createInterface } from 'node:readline';

if (process.argv.includes('-version')) {
  console.error('openjdk version "21.0.2" 2024-01-16');
  process.exit(0);
}
const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);
say({ id: -1, status: 'ok' });
for await (const line of createInterface({ input: process.stdin })) {
  const { id, action } = JSON.parse(line);
  const result = action === 'verify' ? { permit: true } : { rulesVersion: 2 };
  say({ id, status: 'ok', errors: [], warnings: [], result });
}
