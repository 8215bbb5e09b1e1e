// Node's compile cache, switched on before anything else is loaded: types are stripped and code is compiled once.
// Plain JavaScript, so that a start that preloads it (--import) needs not even the type stripper: 40 ms less.
import { enableCompileCache } from 'node:module';

enableCompileCache();
