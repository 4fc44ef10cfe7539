// The last script: from here on only the runtime's own closures hold `__emu`.
delete globalThis.__emu;
