// Preloaded into the server that `rentapi dev` runs. If the supervisor is killed, nobody is left to stop the server, and it
// would keep the port: so it ends with the channel between them.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
