/** What a server has used until now, all its threads together. */
export interface Usage {
  cpuUs: number;
  rssBytes: number;
}

// Loaded into a measured server before its own program: only the process itself knows its CPU time to the microsecond.
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  const usage: Usage = { cpuUs: user + system, rssBytes: process.memoryUsage.rss() };
  process.send!(usage);
});
process.on('disconnect', () => process.exit()); // the bench was killed: leave nothing running
process.channel?.unref();
