package critest

import (
	_ "sigs.k8s.io/cri-tools/pkg/benchmark" // what critest is made of, for the module's list
	_ "sigs.k8s.io/cri-tools/pkg/validate"
)
