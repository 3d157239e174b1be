#include "CMedical.h"
