package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/checkpoint"
	"github.com/dhow-containers/dhow/runtime/cmd/runtime/internal/flags"
)

type checkpointCommand struct {
	o       checkpoint.Options
	emptyNS []string // the network is never saved: the flag only has to be right
}

func checkpointVerb() *verb {
	return &verb{
		name:    "checkpoint",
		args:    "ID",
		summary: "save the processes of a container to files",
		about: `Has criu(8), which must be in $PATH, write the processes of the running container ID to image files, for
'runtime restore'. Then the container is removed, as by 'runtime delete', unless --leave-running or
--pre-dump is given. Its file system is not saved: it must be there, unchanged, for the restore. criu
reads /etc/criu/runc.conf, or the file that the annotation org.criu.config names.`,
		min: 1,
		max: 1,
		new: func() command { return &checkpointCommand{o: checkpoint.Options{StatusFD: -1}} },
	}
}

func (c *checkpointCommand) flags() []flags.Flag {
	return append(criuFlags(&c.o, &c.emptyNS), []flags.Flag{
		{Name: "parent-path", Arg: "DIR", Files: flags.Dir, Value: &c.o.ParentPath, Help: "directory of an earlier --pre-dump, relative to --image-path: save only what has changed since"},
		{Name: "leave-running", Value: &c.o.LeaveRunning, Help: "let the container run on"},
		{Name: "tcp-skip-in-flight", Value: &c.o.TCPSkipInFlight, Help: "leave out TCP connections that are not accepted yet"},
		{Name: "link-remap", Value: &c.o.LinkRemap, Help: "give names to open files that have none any more"},
		{Name: "status-fd", Arg: "N", Value: &c.o.StatusFD, Help: "write a zero byte to descriptor N once pages are served (--lazy-pages)"},
		{Name: "page-server", Arg: "ADDRESS:PORT", Value: &c.o.PageServer, Help: "send the memory to a criu page server; with --lazy-pages, be one"},
		{Name: "pre-dump", Value: &c.o.PreDump, Help: "save the memory only, and let the container run on"},
	}...)
}

// criuFlags are the flags that checkpoint and restore have in common.
func criuFlags(o *checkpoint.Options, emptyNS *[]string) []flags.Flag {
	return []flags.Flag{
		{Name: "image-path", Arg: "DIR", Files: flags.Dir, Value: &o.ImagePath, Help: "directory of the image files (default: checkpoint)"},
		{Name: "work-path", Arg: "DIR", Files: flags.Dir, Value: &o.WorkPath, Help: "directory of criu's log (default: that of the image files)"},
		{Name: "tcp-established", Value: &o.TCPEstablished, Help: "allow open TCP connections"},
		{Name: "ext-unix-sk", Value: &o.ExtUnixSk, Help: "allow unix sockets whose other end is outside"},
		{Name: "shell-job", Value: &o.ShellJob, Help: "allow a terminal, session or process group of the caller's"},
		{Name: "file-locks", Value: &o.FileLocks, Help: "allow file locks"},
		{Name: "manage-cgroups-mode", Arg: "MODE", Choices: []string{"soft", "full", "strict", "ignore"}, Value: &o.CgroupsMode, Help: "what criu does about control groups: soft, full, strict or ignore (default: soft)"},
		{Name: "empty-ns", Arg: "TYPE", Choices: []string{"network"}, Value: emptyNS, Help: "namespace whose content is not saved or restored: network, which never is"},
		{Name: "auto-dedup", Value: &o.AutoDedup, Help: "do not keep memory twice in the image files"},
		{Name: "lazy-pages", Value: &o.LazyPages, Help: "restore memory when it is used, with userfaultfd"},
	}
}

// settle fills in what depends on the working directory.
func settle(o *checkpoint.Options) error {
	if o.ImagePath == "" {
		o.ImagePath = "checkpoint" // runc's default
	}
	var err, err2 error
	o.ImagePath, err = filepath.Abs(o.ImagePath)
	if o.WorkPath != "" {
		o.WorkPath, err2 = filepath.Abs(o.WorkPath)
	}
	return errors.Join(err, err2)
}

func (c *checkpointCommand) run(a *app, args []string) (int, error) {
	if err := settle(&c.o); err != nil {
		return 1, err
	}
	if c.o.LazyPages && c.o.PageServer == "" { // criu would wait at a port that nobody knows
		return 1, &usageError{err: errors.New("cannot use --lazy-pages without --page-server")}
	}
	if err := a.checkStatusFD(&c.o); err != nil {
		return 1, err
	}
	return 0, a.open(a).Checkpoint(args[0], c.o)
}

// checkStatusFD makes sure that --status-fd can be written and is none of this process's own: the file of --log, or one
// of the Go runtime's, which are anonymous.
func (a *app) checkStatusFD(o *checkpoint.Options) error {
	fd := o.StatusFD
	if fd < 0 {
		return nil
	}
	if !o.LazyPages {
		return &usageError{err: errors.New("cannot use --status-fd without --lazy-pages")}
	}
	link, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
	if err != nil || strings.HasPrefix(link, "anon_inode:") || a.file != nil && int(a.file.Fd()) == fd {
		err = unix.EBADF
	}
	how := 0
	if err == nil {
		how, err = unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	}
	switch {
	case err != nil:
		return fmt.Errorf("cannot use --status-fd %d: %w", fd, err)
	case how&unix.O_ACCMODE == unix.O_RDONLY || how&unix.O_PATH != 0:
		return fmt.Errorf("cannot use --status-fd %d: it is not a descriptor to write to", fd)
	}
	return nil
}
