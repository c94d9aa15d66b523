package task

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/dhow-containers/dhow/runtime/checkpoint"
	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/ttrpc"
	"github.com/dhow-containers/dhow/shim/wire"
)

// checkpoint has criu save a container's processes. Nothing else happens to the container meanwhile: if it is to end, its
// exit is told when it has been saved.
func (s *Service) checkpoint(_ context.Context, r *api.CheckpointRequest) (wire.Message, error) {
	t, err := s.task(r.ID)
	if err != nil {
		return nil, err
	}
	o, err := api.DecodeCheckpointOptions(&r.Options)
	if err == nil {
		err = checkCheckpoint(o)
	}
	if err != nil {
		return nil, ttrpc.Errorf(ttrpc.InvalidArgument, "%v", err)
	}
	t.init.op.Lock()
	defer t.init.op.Unlock()
	if _, err := s.living(r.ID); err != nil {
		return nil, err
	}
	images := o.ImagePath
	if images == "" {
		images = r.Path
	}
	work := o.WorkPath
	if work == "" {
		work = filepath.Join(workDir(t.bundle), "criu-work")
		defer os.RemoveAll(work)
	}
	s.reaper.hold()
	defer s.reaper.release()
	err = t.keepLog(t.runtime.Checkpoint(t.id, checkpoint.Options{Criu: t.options.CriuPath, ImagePath: images, WorkPath: work, ParentPath: o.ParentPath,
		LeaveRunning: !o.Exit, TCPEstablished: o.OpenTCP, ExtUnixSk: o.ExternalUnixSockets, ShellJob: o.Terminal, FileLocks: o.FileLocks,
		CgroupsMode: o.CgroupsMode, StatusFD: -1}))
	if err == nil && r.Path != "" && r.Path != images {
		// containerd 1.6 does not know that the files are to be elsewhere, and makes an image of what is in its directory.
		err = os.CopyFS(r.Path, os.DirFS(images))
	}
	return nil, err
}

// checkCheckpoint refuses options that are no use.
func checkCheckpoint(o *api.CheckpointOptions) error {
	for name, path := range map[string]string{"image_path": o.ImagePath, "work_path": o.WorkPath} {
		if path != "" && !filepath.IsAbs(path) {
			return fmt.Errorf("cannot use %s %q: the path must be absolute", name, path)
		}
	}
	for _, ns := range o.EmptyNamespaces {
		if ns != "network" { // which never is saved
			return fmt.Errorf("cannot use empty_namespaces %q: only the network's content is not saved and restored", ns)
		}
	}
	return nil
}

// workDir is a container's directory for files that need not be in memory, as a bundle of containerd's has it.
func workDir(bundle string) string { return filepath.Join(bundle, "work") }

// dumpLog is where containerd's users look for what criu had to say.
const dumpLog = "criu-dump.log"

// keepLog keeps criu's log in the bundle, for the error to name it there: where it is now it may not stay.
func (t *task) keepLog(err error) error {
	failure := (*checkpoint.Failure)(nil)
	if !errors.As(err, &failure) || failure.Log == "" {
		return err
	}
	kept := filepath.Join(t.bundle, dumpLog)
	if e := copyFile(failure.Log, kept); e != nil {
		return errors.Join(err, fmt.Errorf("cannot keep criu's log: %w", e))
	}
	failure.Log = kept
	return fmt.Errorf("cannot checkpoint container %q: %w", t.id, failure)
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
