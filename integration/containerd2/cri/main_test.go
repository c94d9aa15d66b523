package cri

import (
	"testing"

	"github.com/dhow-containers/dhow/integration/containerd2/host"
)

func TestMain(m *testing.M) { host.Main(m) }
