import { start } from "../../shared/start.js";
import { App } from "./app.js";
import "./driver.css";

start(App, "/driver");
