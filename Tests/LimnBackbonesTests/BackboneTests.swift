// Networks against PyTorch's of the same weights.

import LimnBackbones
import Testing
