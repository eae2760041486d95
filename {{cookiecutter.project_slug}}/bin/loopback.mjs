// Let the servers of a Node process listen on 127.0.0.1 only. bin/spotlight loads this file,
// because Spotlight has no option for it and would show errors to the whole network.
import { Server } from "node:net";

const { listen } = Server.prototype;

Server.prototype.listen = function (port, host, callback) {
  return listen.call(this, port, "127.0.0.1", callback);
};
