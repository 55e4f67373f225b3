/** Milliseconds of processors that this process has taken: a case that hangs takes them, one that waits for its turn does not. */
export function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
