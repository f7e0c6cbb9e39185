// Preloaded into the server that `rentapi dev` runs. A server that outlives a killed supervisor would keep the port, so
// it ends with the channel between them.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
