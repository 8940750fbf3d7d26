import { start } from "../../shared/start.js";
import { App } from "./app.js";
import "./ops.css";

start(App, "/ops");
