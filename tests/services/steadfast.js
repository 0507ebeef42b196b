// Lets a server of this process outlive a connection that was cut in the middle of a request.
process.on("uncaughtException", (error) => {
  if (/aborted|ECONNRESET|EPIPE/.test(`${error && error.code} ${error && error.message}`)) return;
  console.error(error);
  process.exit(1);
});
