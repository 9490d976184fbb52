'use strict';
// A package that is asked for and not needed.
