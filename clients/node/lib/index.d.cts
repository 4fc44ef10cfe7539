/** How to find emu, and how patient to be. */
export interface Options {
  /** The admin address; `EMU_ADMIN_URL`, which `emu exec` sets, unless given. */
  url?: string;
  /** The World that every call is about; emu's only one unless given. */
  world?: string;
  /** How long each call waits at most, in ms, unless it says otherwise; 10,000 unless given. */
  timeout?: number;
}

/** How long to wait at most, in ms. */
export interface Wait {
  timeout?: number;
}

/** The way to an emu. Connects at the first call. */
export declare function connect(options?: Options): Emu;

/** The emu of `EMU_ADMIN_URL`: the one that `emu exec` runs the tests against. */
export declare const emu: Emu;

/** Parts of the state that can be reset by themselves. */
export type Service = 'tables' | 'objects' | 'queues' | 'topics' | 'mail' | 'push' | 'schedules' | 'deliveries' | (string & {});

export declare class Emu {
  constructor(options?: Options);
  /** Where the admin API is asked. Throws where that is not known. */
  readonly url: string;
  readonly clock: Clock;
  /** Addresses, functions, and how much is pending. */
  health(): Promise<Health>;
  /** Back to what a new start begins with: resources, seed, the machine's time. Or that for one service only. */
  reset(service?: Service): Promise<void>;
  /** Saves the state, under a name of its own unless one is given. */
  snapshot(name?: string, options?: { replace?: boolean }): Promise<Snapshot>;
  /** Puts a saved state, and its clock, in the place of the present one. */
  restore(snapshot: string | { name: string }): Promise<Snapshot>;
  snapshots(): Promise<Snapshot[]>;
  /** Writes the state as text files. */
  exportState(dir: string, options?: { replace?: boolean }): Promise<void>;
  /** Puts the state of an export in the place of the present one; `triggers: false` leaves out what was not delivered yet. */
  importState(dir: string, options?: { triggers?: boolean }): Promise<void>;
  /** Waits until every event that was committed has been delivered, with all that it led to. Throws `EmuTimeoutError`. */
  waitForIdle(options?: Wait): Promise<void>;
  /** The mails that were sent, oldest first. */
  inbox(filter?: MailFilter): Promise<Mail[]>;
  /** The latest such mail; waits for one where there is none. Throws `EmuTimeoutError`. */
  waitForMail(filter?: MailFilter & Wait): Promise<Mail>;
  clearInbox(): Promise<void>;
  /** The pushes that were sent by Firebase Cloud Messaging, oldest first. */
  pushes(filter?: PushFilter): Promise<Push[]>;
  /** The latest such push; waits for one where there is none. Throws `EmuTimeoutError`. */
  waitForPush(filter?: PushFilter & Wait): Promise<Push>;
  clearPushes(): Promise<void>;
  /** Says what becomes of pushes to a device's token from now on; registered unless a state is given. */
  setPushToken(token: string, options?: { state?: PushTokenState; platform?: PushPlatform }): Promise<void>;
  /** The tokens that are known, with their topics. */
  pushTokens(): Promise<PushToken[]>;
  /** What ran since the last reset, restore or import, in the order in which it began. */
  invocations(filter?: InvocationFilter): Promise<Invocation[]>;
  /** What could not be delivered, newest first. */
  deadLetters(): Promise<DeadLetter[]>;
  /** Runs a function once. Throws `FunctionError` where it fails. */
  invoke<Payload = unknown>(name: string, event?: unknown, options?: Wait): Promise<Invoked<Payload>>;
  /** What a request led to: `id` is the header `x-emu-trace-id` of its answer, its beginning, or `latest`, the default. */
  trace(id?: string): Promise<Trace>;
}

/** One clock for everything: schedules, expiries, retries, delays, `Date.now()` and timers in functions. */
export interface Clock {
  now(): Promise<Date>;
  state(): Promise<ClockState>;
  /** Moves on through every time at which something is due, in order: `'25h'`, `'1d12h'`, or milliseconds. */
  advance(length: string | number, options?: Wait): Promise<ClockState>;
  /** As `advance`, to a time; to an earlier one it jumps, and to the machine's with `'now'`. */
  set(time: Date | string | number, options?: Wait): Promise<ClockState>;
  /** Stops the clock, at a time if one is given. */
  freeze(at?: Date | string | number): Promise<ClockState>;
  resume(): Promise<ClockState>;
}

export interface ClockState {
  time: Date;
  frozen: boolean;
  /** How far it is ahead of the machine's; `null` where it stands still. */
  aheadMs: number | null;
}

export interface MailFilter {
  /** To this address, copies included. */
  to?: string;
  from?: string;
  /** A part of the subject, or an expression that it fits. */
  subject?: string | RegExp;
  /** Only those after this mail. */
  after?: Mail | string;
}

export interface PushFilter {
  /** Those that the device with this token got, also by a topic. */
  token?: string;
  topic?: string;
  /** A part of the title. */
  title?: string;
  /** Only those after this push. */
  after?: Push | string;
}

export type PushPlatform = 'android' | 'apns' | 'webpush';
export type PushTokenState = 'registered' | 'unregistered' | 'sender-mismatch';

export interface PushToken {
  token: string;
  state: PushTokenState;
  platform: PushPlatform | null;
  topics: string[];
}

/** A push that emu kept in place of sending it. */
export interface Push {
  id: string;
  at: Date;
  target: { token: string } | { topic: string } | { condition: string };
  /** Those who got it, at most a thousand of them. */
  tokens: string[];
  /** How many got it. */
  count: number;
  title: string | null;
  body: string | null;
  data: Record<string, string>;
  /** As it was sent. */
  message: Record<string, unknown>;
  /** What a device of each kind shows. */
  rendered: { platform: PushPlatform; title?: string; body?: string; image?: string; data?: Record<string, string>; options?: Record<string, unknown> }[];
  /** The function that sent it. */
  function: string | null;
}

/** A mail that emu kept in place of sending it. */
export declare class Mail {
  private constructor();
  readonly id: string;
  readonly at: Date;
  readonly from: string;
  readonly to: string[];
  readonly cc: string[];
  readonly bcc: string[];
  readonly replyTo: string[];
  readonly subject: string;
  readonly text: string | null;
  readonly html: string | null;
  readonly attachments: { name: string | null; type: string; bytes: number }[];
  /** The template that made it. */
  readonly template: string | null;
  /** The function that sent it. */
  readonly function: string | null;
  /** Why it would not have been delivered. */
  readonly failure: string | null;
  /** The addresses of all links, of the HTML and then of the text, each once. */
  links(): string[];
  /** The first link, or the first that contains a text or fits an expression. Throws where there is none. */
  link(match?: string | RegExp): string;
}

export interface InvocationFilter {
  function?: string;
  trace?: string;
  /** At most so many, the latest. */
  limit?: number;
  /** Those too that began before the last reset, restore or import. */
  all?: boolean;
  /** Whose list prices costs are reckoned with; `aws` unless given. */
  provider?: 'aws' | 'aws-arm' | 'firebase' | 'gcp' | 'cloudflare' | 'azure';
}

export interface LogLine {
  at: Date;
  level: 'TRACE' | 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';
  text: string;
}

/** An invocation that has ended. Times are milliseconds by the machine's clock, `at` is emu's. */
export interface Invocation {
  id: string;
  trace: string;
  function: string;
  /** What it was invoked for: `POST /orders`, `queue jobs`, `schedule`, `invoke`. */
  trigger: string;
  at: Date;
  status: 'succeeded' | 'failed' | 'refused';
  error: { kind: string; message: string; stack: string[] } | null;
  durationMs: number;
  cpuMs: number;
  queuedMs: number;
  memoryPeakBytes: number;
  memoryMib: number;
  /** It ran in a new sandbox. */
  cold: boolean;
  /** The number of the function's build, from 1. */
  build: number;
  /** Secrets are hidden in both, and what is longer than 64 KiB is text that was cut. */
  event: unknown;
  answer: unknown;
  logs: LogLine[];
  /** With everything that it called, at list prices, in US dollars. */
  cost: { provider: string; low: number; high: number } | null;
}

export interface DeadLetter {
  id: number;
  time: Date;
  reason: string;
  detail: string;
  source: string;
  target: string;
  attempts: number;
  requestId: string;
  trace: string;
  event: unknown;
}

export interface Invoked<Payload> {
  payload: Payload;
  requestId: string;
  trace: string;
  logs: LogLine[];
}

/** What a request led to, each row after what led to it. */
export interface Trace {
  trace: string;
  rows: { depth: number; parent: number | null; record: { type: string; [field: string]: unknown } }[];
}

export interface Snapshot {
  name: string;
  /** By the machine's clock. */
  taken: Date;
  /** By emu's. */
  time: Date;
  bytes: number;
}

export interface Health {
  version: string;
  project: string;
  addresses: { http: string; aws: string; admin: string };
  functions: { name: string; ready: boolean; problems: number }[];
  pending: number;
  inFlight: number;
  deadLetters: number;
  recordsDropped: number;
  worlds: string[];
}

/** Something that keeps emu from being idle. */
export interface Busy {
  kind: string;
  text: string;
}

/** Whatever emu refuses. Its message says what happened and what to do. */
export declare class EmuError extends Error {
  /** The status of emu's answer, where there was one. */
  readonly status: number | undefined;
}

/** No emu answers. */
export declare class EmuUnreachableError extends EmuError {}

/** Something did not happen in time. */
export declare class EmuTimeoutError extends EmuError {
  /** What was still being done. */
  readonly busy: Busy[];
}

/** A function that was invoked failed. */
export declare class FunctionError extends EmuError {
  readonly functionName: string;
  readonly kind: string;
  readonly payload: unknown;
  readonly logs: LogLine[];
  readonly requestId: string;
  readonly trace: string;
}
