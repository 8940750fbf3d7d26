import { ownTab } from "../../shared/line/node.js";
import { start } from "../../shared/start.js";
import { App } from "./app.js";
import "./customer.css";

void ownTab("customer").then(() => start(App, "/customer"));
