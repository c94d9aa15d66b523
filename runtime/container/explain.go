package container

import (
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/dhow-containers/dhow/runtime/diagnose"
	"github.com/dhow-containers/dhow/runtime/launch"
)

// explain adds the likely reason to err.
func (b *blueprint) explain(err error) error {
	return diagnose.Explain(err, diagnose.Context{Config: b.doc.Spec, Rootfs: b.rootfs})
}

// stepExplainer explains the failed steps of a process; pid is asked for when one fails. Where rootfs is "", no step
// is about the root file system.
func stepExplainer(config *specs.Spec, rootfs string, pid func() int) func(*launch.StepError) error {
	return func(e *launch.StepError) error {
		f := diagnose.Failure{Call: e.Info.Call, Errno: e.Errno, Field: e.Info.Field, What: e.Error()}
		f.Config, f.Rootfs, f.Pid = config, rootfs, pid()
		return diagnose.ExplainFailure(e, &f)
	}
}
