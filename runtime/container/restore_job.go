package container

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/moby/sys/mountinfo"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/checkpoint"
	"github.com/dhow-containers/dhow/spec"
)

// job says what is restored, and into what; further are descriptors that criu inherits from
// checkpoint.FirstFD on, to be closed also after an error.
func (r *restoring) job() (j *checkpoint.Job, further []uintptr, err error) {
	config := r.doc.Spec
	j = r.dirs.job(r.options.Options, config)
	j.Root = r.rootfs
	inherit := func(key string, fd int) {
		j.InheritFDs = append(j.InheritFDs, checkpoint.InheritFD{Key: key, FD: checkpoint.FirstFD + len(further)})
		further = append(further, uintptr(fd))
	}
	for i, ns := range namespaces(config) {
		if ns.Path == "" {
			continue
		}
		key := externalKey(ns.Type)
		switch {
		case ns.Type == specs.CgroupNamespace:
			return j, further, errInvalid("cannot use linux.namespaces[%d]: criu joins no cgroup namespace", i)
		case key == "":
			j.Join = append(j.Join, checkpoint.Namespace{Name: procName(ns.Type), Path: ns.Path})
			continue
		}
		fd, err := unix.Open(ns.Path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return j, further, fmt.Errorf("cannot join a namespace (linux.namespaces[%d]): %w", i, &os.PathError{Op: "open", Path: ns.Path, Err: err})
		}
		inherit(key, fd)
	}
	if err := r.inheritStreams(j, inherit); err != nil {
		return j, further, err
	}
	j.Mounts, err = r.mountSources()
	return j, further, err
}

func closeAll(fds []uintptr) {
	for _, fd := range fds {
		unix.Close(int(fd))
	}
}

// inheritStreams gives the saved init the caller's standard streams in the place of its old ones. What was /dev/null stays so where the
// caller has a pipe.
func (r *restoring) inheritStreams(j *checkpoint.Job, inherit func(string, int)) error {
	if r.doc.Spec.Process.Terminal {
		return nil
	}
	given := map[string]bool{}
	ours := stdio(r.options.Stdio)
	for fd, name := range r.streams {
		name, null := strings.CutSuffix(name, nullMark)
		file := strings.HasPrefix(name, filePrefix)
		if given[name] || !file && !strings.HasPrefix(name, pipePrefix) && !strings.HasPrefix(name, ttyPrefix) {
			continue
		}
		given[name] = true
		if null && !seekable(ours[fd]) { // criu sets the offset
			f, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
			if err != nil {
				return &os.PathError{Op: "open", Path: os.DevNull, Err: err}
			}
			inherit(name, f)
			continue
		}
		if !file || fd > 0 || r.streams[0] != r.streams[1] && r.streams[0] != r.streams[2] {
			if !r.options.ShellJob {
				j.InheritFDs = append(j.InheritFDs, checkpoint.InheritFD{Key: name, FD: fd})
				continue
			}
			// criu closes what it has given to a process, and wants to keep its own standard input then.
			copied, err := unix.FcntlInt(ours[fd], unix.F_DUPFD_CLOEXEC, 0)
			if err != nil {
				return fmt.Errorf("cannot hand on standard stream %d: %w", fd, err)
			}
			inherit(name, copied)
			continue
		}
		// It was read and written, mostly /dev/null, and has one name in the image: one descriptor must do.
		both, err := readWrite(int(ours[0]))
		if err != nil {
			return fmt.Errorf("cannot open standard input for writing, as it was when the container was saved: %w", err)
		}
		inherit(name, both)
	}
	return nil
}

// seekable says whether fd has an offset: it is no pipe, socket or terminal.
func seekable(fd uintptr) bool {
	_, err := unix.Seek(int(fd), 0, unix.SEEK_CUR)
	return err == nil
}

// readWrite opens what fd refers to for reading and writing. A regular file that the caller has opened for reading
// alone stays so: nobody has said that the container may change it.
func readWrite(fd int) (int, error) {
	var st unix.Stat_t
	how, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err == nil {
		err = unix.Fstat(fd, &st)
	}
	if err != nil {
		return -1, err
	}
	if st.Mode&unix.S_IFMT == unix.S_IFREG && how&unix.O_ACCMODE != unix.O_RDWR {
		return -1, unix.EACCES
	}
	return unix.Open("/proc/self/fd/"+strconv.Itoa(fd), unix.O_RDWR|unix.O_CLOEXEC, 0)
}

// mountSources says where the external mounts come from, by the names that externalMounts gives. Names
// that the image does not have are no harm.
func (r *restoring) mountSources() ([]checkpoint.Mount, error) {
	config := r.doc.Spec
	list := []checkpoint.Mount{{Key: nullName, Value: nullName}}
	if config.Linux != nil {
		for _, p := range devicePaths(config)[1:] {
			list = append(list, checkpoint.Mount{Key: path.Clean("/" + p), Value: p})
		}
	}
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	defer f.Close() // read only
	host, err := mountinfo.GetMountsFromReader(f, nil)
	if err != nil {
		return nil, err
	}
	for i := range config.Mounts {
		m := &config.Mounts[i]
		destination := path.Clean("/" + m.Destination)
		bind, recursive := spec.IsBind(m)
		switch {
		case bind:
			source := r.source(m)
			list = append(list, checkpoint.Mount{Key: destination, Value: source})
			if recursive {
				list = append(list, mountsBelow(host, source, destination)...)
			}
		case m.Type == "cgroup" || m.Type == "cgroup2":
			list = append(list, r.cgroupSources(destination)...)
		}
	}
	return list, nil
}

// source is where a bind comes from (config.md, "Mounts").
func (b *blueprint) source(m *specs.Mount) string {
	if filepath.IsAbs(m.Source) {
		return m.Source
	}
	return filepath.Join(b.bundle, m.Source)
}

func mountsBelow(host []*mountinfo.Info, source, destination string) (list []checkpoint.Mount) {
	if real, err := filepath.EvalSymlinks(source); err == nil {
		source = real
	}
	for _, m := range host {
		if rel, ok := strings.CutPrefix(m.Mountpoint, source+"/"); ok {
			list = append(list, checkpoint.Mount{Key: path.Join(destination, rel), Value: m.Mountpoint})
		}
	}
	return list
}

// cgroupSources are the directories that a container without a cgroup namespace sees at destination: its
// own.
func (r *restoring) cgroupSources(destination string) []checkpoint.Mount {
	if spec.NewNamespace(r.doc.Spec, specs.CgroupNamespace) {
		return nil
	}
	var list []checkpoint.Mount
	if dir := r.group.Paths[""]; dir != "" {
		list = append(list, checkpoint.Mount{Key: destination, Value: dir})
	}
	for controller, at := range r.input.Host.CgroupV1 {
		source := r.group.Paths[controller]
		if source == "" {
			source = at
		}
		list = append(list, checkpoint.Mount{Key: path.Join(destination, path.Base(at)), Value: source})
	}
	return list
}

// cgroupRoots are the groups that criu is in, for it to put what it restores there.
func cgroupRoots(pid int) ([]checkpoint.CgroupRoot, error) {
	text, err := readFile(unix.AT_FDCWD, "/proc/"+strconv.Itoa(pid)+"/cgroup")
	if err != nil {
		return nil, fmt.Errorf("cannot find criu's control groups: %w", err)
	}
	var list []checkpoint.CgroupRoot
	for line := range strings.Lines(string(text)) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(f) < 3 {
			continue
		}
		for controller := range strings.SplitSeq(f[1], ",") {
			list = append(list, checkpoint.CgroupRoot{Controller: controller, Path: f[2]})
		}
	}
	return list, nil
}
