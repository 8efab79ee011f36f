// The functions are in the Rust library; a C target needs a source file.
#include "IncidentMobileTestingFFI.h"
