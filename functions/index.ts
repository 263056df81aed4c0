import { app } from '@azure/functions';
import { drain } from './rotator.ts';

import './connectionStatus.ts';
import './health.ts';
import './removeConnections.ts';
import './rotateConnection.ts';
import './rotateDue.ts';
import './rotateOnSchedule.ts';

app.hook.appTerminate(drain);
