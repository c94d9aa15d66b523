package main

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/checkpoint"
	"github.com/dhow-containers/dhow/runtime/container"
)

func TestCheckpointFlags(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	expect(t, &fakeStore{}, "checkpoint x", "checkpoint", "x", checkpoint.Options{ImagePath: filepath.Join(dir, "checkpoint"), StatusFD: -1})
	const both = " --tcp-established --ext-unix-sk --shell-job --file-locks --auto-dedup --lazy-pages --manage-cgroups-mode full --empty-ns network" +
		" --image-path i --work-path=/w"
	o := checkpoint.Options{ImagePath: filepath.Join(dir, "i"), WorkPath: "/w", TCPEstablished: true, ExtUnixSk: true, ShellJob: true, FileLocks: true,
		AutoDedup: true, LazyPages: true, CgroupsMode: "full", StatusFD: -1}
	restored := o
	o.ParentPath, o.LeaveRunning, o.TCPSkipInFlight, o.LinkRemap, o.PageServer, o.PreDump, o.StatusFD = "../p", true, true, true, "h:1", true, 1
	expect(t, &fakeStore{}, "checkpoint"+both+" --parent-path ../p --leave-running --tcp-skip-in-flight --link-remap --page-server h:1 --pre-dump --status-fd 1 x",
		"checkpoint", "x", o)

	restored.LSMProfile, restored.LSMMountContext = "apparmor:a", "c"
	if err := os.WriteFile("config.json", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	expect(t, &fakeStore{code: 3}, "restore -d --pid-file p --console-socket s --no-subreaper -b "+dir+" --lsm-profile apparmor:a --lsm-mount-context c"+both+" x",
		"restore", "x", container.RestoreOptions{Options: restored, Bundle: dir, PidFile: "p", ConsoleSocket: "s", Detach: true, NoSubreaper: true})
	refuse(t, "checkpoint --empty-ns ipc x", 1, `cannot use --empty-ns "ipc": want network (see 'runtime checkpoint --help')`)
	refuse(t, "checkpoint --lazy-pages x", 1, "cannot use --lazy-pages without --page-server (see 'runtime checkpoint --help')")
	refuse(t, "checkpoint --status-fd 1 x", 1, "cannot use --status-fd without --lazy-pages (see 'runtime checkpoint --help')")
	refuse(t, "checkpoint --lazy-pages --page-server h:1 --status-fd 999 x", 1, "cannot use --status-fd 999: bad file descriptor")
	for flags, want := range map[int]string{
		unix.O_RDONLY: "it is not a descriptor to write to",
		unix.O_PATH:   "it is not a descriptor to write to",
	} {
		fd, err := unix.Open("config.json", flags, 0)
		if err != nil {
			t.Fatal(err)
		}
		refuse(t, "checkpoint --lazy-pages --page-server h:1 --status-fd "+strconv.Itoa(fd)+" x", 1, "cannot use --status-fd "+strconv.Itoa(fd)+": "+want)
		unix.Close(fd)
	}
	event, err := unix.Eventfd(0, unix.EFD_CLOEXEC) // the Go runtime has one
	if err != nil {
		t.Fatal(err)
	}
	refuse(t, "checkpoint --lazy-pages --page-server h:1 --status-fd "+strconv.Itoa(event)+" x", 1, "cannot use --status-fd "+strconv.Itoa(event)+": bad file descriptor")
	unix.Close(event)
	log, err := unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0) // the lowest number that is free
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(log)
	refuse(t, "--log l checkpoint --lazy-pages --page-server h:1 --status-fd "+strconv.Itoa(log)+" x", 1, "cannot use --status-fd "+strconv.Itoa(log)+": bad file descriptor")
}
