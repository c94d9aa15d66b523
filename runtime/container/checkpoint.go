package container

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/checkpoint"
	"github.com/dhow-containers/dhow/runtime/diagnose"
)

// Checkpoint saves the processes of a container to image files. Unless they are to run on, the container is
// removed then, as `delete` would.
func (s *Store) Checkpoint(id string, o checkpoint.Options) error {
	if err := errors.Join(checkPrivilege(), o.Check()); err != nil {
		return invalid{err}
	}
	h, err := s.openLocked(id)
	if err != nil {
		return err
	}
	defer h.close()
	switch status := h.status(); status {
	case specs.StateRunning, statusPaused:
	default:
		return errConflict("cannot checkpoint container %q: container not running: it is %s", id, status)
	}
	if err := h.dump(o); err != nil {
		return fmt.Errorf("cannot checkpoint container %q: %w", id, err)
	}
	if o.LeaveRunning || o.PreDump {
		return nil
	}
	return h.delete()
}

// checkPrivilege refuses users whom criu cannot serve.
func checkPrivilege() error {
	if os.Geteuid() != 0 || diagnose.InUserNamespace() {
		return errors.New("cannot checkpoint or restore: criu needs root of the host")
	}
	return nil
}

// dump has criu save the processes.
func (h *handle) dump(o checkpoint.Options) (err error) {
	criu, err := findCriu(&o)
	if err != nil {
		return err
	}
	doc, err := h.config()
	if err != nil {
		return err
	}
	d, err := openImages(o, true)
	if err != nil {
		return err
	}
	defer d.close()
	job := d.job(o, doc.Spec)
	job.Pid, job.Root = h.Pid, h.Rootfs
	if job.External, err = h.externalNamespaces(doc.Spec); err != nil {
		return err
	}
	job.FreezeCgroup = h.group().FreezerDir()
	if !o.PreDump {
		if job.Mounts, err = externalMounts(doc.Spec, h.Pid); err != nil {
			return err
		}
		streams := h.streams()
		if streams.shellJob() && !o.ShellJob {
			return errInvalid("a standard stream of the container is a terminal of the host: use --shell-job")
		}
		job.External = append(job.External, streams.external()...)
		if err := streams.write(d.images); err != nil {
			return err
		}
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	c, err := checkpoint.Start(criu, [3]uintptr{null.Fd(), null.Fd(), null.Fd()})
	if err != nil {
		return err
	}
	defer c.Close()
	end := h.store.span("have criu save the processes", "pid", h.Pid, "images", o.ImagePath)
	err = d.explain(c.Dump(job, func(n checkpoint.Notification) error {
		h.store.debug("criu", "notification", n.Script)
		if n.FD >= 0 {
			unix.Close(n.FD)
		}
		if n.Script == "status-ready" && o.StatusFD >= 0 {
			return tellReady(o.StatusFD)
		}
		return nil
	}), checkpoint.DumpLog)
	end(err)
	return err
}

// tellReady tells the caller that the server of lazy pages waits (--status-fd).
func tellReady(fd int) error {
	_, err := unix.Write(fd, []byte{0})
	err = errors.Join(err, unix.Close(fd))
	if err != nil {
		return fmt.Errorf("cannot tell that lazy pages are served (--status-fd %d): %w", fd, err)
	}
	return nil
}

// findCriu finds criu and makes sure that it can do what is asked.
func findCriu(o *checkpoint.Options) (criu string, err error) {
	criu = o.Criu
	if criu == "" {
		criu, err = checkpoint.Find()
	}
	if err == nil {
		err = checkpoint.CheckVersion(criu)
	}
	if err == nil {
		err = o.CheckFeatures(criu)
	}
	return criu, err
}

// images are the directories of a checkpoint.
type images struct {
	images, work int
	logs         string
}

// openImages opens the directories of images and log. For a dump they are made.
func openImages(o checkpoint.Options, dump bool) (d *images, err error) {
	d = &images{images: -1, work: -1, logs: o.ImagePath}
	if dump {
		err = os.MkdirAll(o.ImagePath, 0o700)
	}
	if err == nil {
		d.images, err = openDirectory(o.ImagePath)
	}
	if err == nil && !dump && unix.Faccessat(d.images, "inventory.img", unix.F_OK, 0) == unix.ENOENT {
		err = fmt.Errorf("there is no checkpoint in %s", o.ImagePath)
		unix.Close(d.images)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot use the image directory (--image-path): %w", err)
	}
	if err = checkParent(o, d.images); err == nil && o.WorkPath != "" { // made by restore, too
		d.logs = o.WorkPath
		if err = os.MkdirAll(o.WorkPath, 0o700); err == nil {
			d.work, err = openDirectory(o.WorkPath)
		}
		if err != nil {
			err = fmt.Errorf("cannot use the directory of criu's log (--work-path): %w", err)
		}
	}
	if err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

// checkParent makes sure that an earlier pre-dump is where --parent-path says.
func checkParent(o checkpoint.Options, images int) error {
	if o.ParentPath == "" {
		return nil
	}
	if filepath.IsAbs(o.ParentPath) {
		return errInvalid("cannot use --parent-path %s: it must be relative to --image-path", o.ParentPath)
	}
	fd, err := unix.Openat(images, o.ParentPath, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return errInvalid("cannot use --parent-path: %w", &os.PathError{Op: "open", Path: filepath.Join(o.ImagePath, o.ParentPath), Err: err})
	}
	return unix.Close(fd)
}

// reopen opens the directories again, in the mount namespace that the thread has now.
func (d *images) reopen(o checkpoint.Options) error {
	again, err := openImages(o, false)
	if err == nil {
		d.close()
		*d = *again
	}
	return err
}

func openDirectory(path string) (int, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return fd, nil
}

func (d *images) close() {
	for _, fd := range [...]int{d.images, d.work} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

// defaultCriuConfig is where runc has criu look for a configuration of its own, which users therefore have.
const defaultCriuConfig = "/etc/criu/runc.conf"

// job is what dump and restore have in common.
func (d *images) job(o checkpoint.Options, config *specs.Spec) *checkpoint.Job {
	j := &checkpoint.Job{Options: o, Images: d.images, Work: d.work, ConfigFile: defaultCriuConfig}
	if file, ok := config.Annotations["org.criu.config"]; ok {
		j.ConfigFile = file
	}
	j.NFTables = !checkpoint.HasIPTables()
	return j
}

// explain adds the reason from criu's log.
func (d *images) explain(err error, log string) error {
	if f := (*checkpoint.Failure)(nil); errors.As(err, &f) {
		f.Explain(d.logs, log)
	}
	return err
}

// externalNamespaces names the namespaces that were joined by path and that criu does not save. Those of the
// other types become the container's own when it is restored without a path.
func (h *handle) externalNamespaces(config *specs.Spec) ([]string, error) {
	var list []string
	for _, ns := range namespaces(config) {
		key := externalKey(ns.Type)
		if key == "" || ns.Path == "" {
			continue
		}
		var st unix.Stat_t
		path := "/proc/" + strconv.Itoa(h.Pid) + "/ns/" + procName(ns.Type)
		if err := unix.Stat(path, &st); err != nil {
			return nil, &os.PathError{Op: "stat", Path: path, Err: err}
		}
		list = append(list, procName(ns.Type)+"["+strconv.FormatUint(st.Ino, 10)+"]:"+key)
	}
	return list, nil
}

// externalKey is the name of an external namespace in the image, as runc has it.
func externalKey(t specs.LinuxNamespaceType) string {
	switch t {
	case specs.NetworkNamespace:
		return "extRootNetNS"
	case specs.PIDNamespace:
		return "extRootPidNS"
	}
	return ""
}

// procName is the name of a namespace in /proc/PID/ns.
func procName(t specs.LinuxNamespaceType) string {
	switch t {
	case specs.NetworkNamespace:
		return "net"
	case specs.MountNamespace:
		return "mnt"
	}
	return string(t)
}

func namespaces(config *specs.Spec) []specs.LinuxNamespace {
	if config.Linux == nil {
		return nil
	}
	return config.Linux.Namespaces
}
