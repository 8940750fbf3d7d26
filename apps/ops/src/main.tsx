import { ownTab } from "../../shared/line/node.js";
import { start } from "../../shared/start.js";
import { App } from "./app.js";
import "./ops.css";

void ownTab("ops").then(() => start(App, "/ops"));
