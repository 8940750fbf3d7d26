import { ownTab } from "../../shared/line/node.js";
import { start } from "../../shared/start.js";
import { App } from "./app.js";
import "./customer.css";

start(App, "/customer", ownTab("customer"));
