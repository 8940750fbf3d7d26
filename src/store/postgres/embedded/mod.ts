export { EmbeddedPostgresError } from "./binaries.js";
export { DataDirectoryInUse } from "./data-directory-lock.js";
export { type EmbeddedPostgres, startEmbeddedPostgres } from "./supervisor.js";
export { prepareTcpServer, type TcpServer } from "./tcp-server.js";
