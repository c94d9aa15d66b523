package checkpoint

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/checkpoint-restore/go-criu/v8/rpc"
	"golang.org/x/sys/unix"
)

// TestMain lets the test program stand in for criu: it is called as `criu swrk 3`.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "swrk" {
		os.Exit(fakeCriu())
	}
	os.Exit(m.Run())
}

// fakeCriu does what $FAKE_CRIU says, after one request.
func fakeCriu() int {
	c := &Criu{sock: 3}
	buf := make([]byte, maxMessage)
	req := &rpc.CriuReq{}
	next := func() {
		n, _, _, _, err := unix.Recvmsg(c.sock, buf, nil, 0)
		if err != nil || n == 0 || req.UnmarshalVT(buf[:n]) != nil {
			os.Exit(9)
		}
	}
	say := func(r *rpc.CriuResp, fds ...int) {
		data, err := r.MarshalVT()
		if err == nil {
			err = unix.Sendmsg(c.sock, data, unix.UnixRights(fds...), nil, 0)
		}
		if err != nil {
			os.Exit(8)
		}
	}
	next()
	kind, notify := *req.Type, rpc.CriuReqType_NOTIFY
	task, _ := strconv.Atoi(os.Getenv("FAKE_TASK"))
	tell := func(script string, pid int, fds ...int) {
		say(&rpc.CriuResp{Type: &notify, Success: new(true), Notify: &rpc.CriuNotify{Script: &script, Pid: new(int32(pid))}}, fds...)
		next()
	}
	switch os.Getenv("FAKE_CRIU") {
	case "version":
		say(&rpc.CriuResp{Type: &kind, Success: new(true), Version: &rpc.CriuVersion{MajorNumber: new(int32(3)), MinorNumber: new(int32(15))}})
	case "gone":
		return 7
	case "notify":
		tell("orphan-pts-master", 42, 0)
		say(&rpc.CriuResp{Type: &kind, Success: new(req.GetNotifySuccess()), CrErrno: new(int32(unix.EBUSY)), CrErrmsg: new("Error (a.c:1): told to stop\n")})
	case "task":
		tell("setup-namespaces", task)
		say(&rpc.CriuResp{Type: &kind, Success: new(req.GetNotifySuccess())})
	case "stuck":
		tell("setup-namespaces", task)
		_ = unix.Kill(task, unix.SIGTERM)
		next() // in vain
	case "held":
		tell("orphan-pts-master", 42, c.sock)
		return 7
	case "resumed":
		tell("setup-namespaces", task)
		tell("post-resume", 0)
		say(&rpc.CriuResp{Type: &kind, Success: new(true)})
	}
	return 0
}

func start(t *testing.T, as string) *Criu {
	t.Helper()
	t.Setenv("FAKE_CRIU", as)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c, err := Start(self, [3]uintptr{0, 1, 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestNotifications(t *testing.T) {
	var got Notification
	err := start(t, "notify").Dump(&Job{Work: -1}, func(n Notification) error {
		got = n
		return unix.Close(n.FD)
	})
	if err != nil || got.Script != "orphan-pts-master" || got.Pid != 42 || got.FD < 3 {
		t.Errorf("%+v, %v", got, err)
	}
	if err := start(t, "notify").Restore(&Job{Work: -1}, func(n Notification) error { return unix.Close(n.FD) }); err != nil {
		t.Error(err)
	}
	mine := errors.New("mine")
	err = start(t, "notify").Dump(&Job{Work: -1}, func(n Notification) error { unix.Close(n.FD); return mine })
	if err != mine {
		t.Errorf("%v, want the handler's own error", err)
	}
}

func TestCriuFails(t *testing.T) {
	err := start(t, "gone").Dump(&Job{Work: -1}, nil)
	if err == nil || err.Error() != "criu cannot dump: it ended with status 7 and without an answer" {
		t.Error(err)
	}
	t.Setenv("FAKE_CRIU", "version")
	self, _ := os.Executable()
	if err := CheckVersion(self); err == nil || !strings.HasSuffix(err.Error(), "it is version 3.15, and 3.16 is needed") {
		t.Error(err)
	}
	if err := CheckVersion("/no/such/criu"); err == nil || !strings.Contains(err.Error(), "/no/such/criu") {
		t.Error(err)
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", "relative:/no/such:"+dir)
	if _, err := Find(); err == nil || !strings.Contains(err.Error(), "not in $PATH") {
		t.Error(err)
	}
	file := filepath.Join(dir, "criu")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Find(); err == nil || !strings.Contains(err.Error(), "permission denied") {
		t.Error(err)
	}
	if err := os.Chmod(file, 0o755); err != nil {
		t.Fatal(err)
	}
	if path, err := Find(); path != file || err != nil {
		t.Error(path, err)
	}
}

func TestExplain(t *testing.T) {
	dir := t.TempDir()
	log := `(00.052772) Error (criu/util.c:1533): rlimit: Can't setup RLIMIT_NOFILE for self: Operation not permitted
(00.1) fine
(00.2) Error (criu/a.c:1): one
Error (criu/a.c:1): two
(00.2)      1: Error (criu/a.c:1): three (of four): x
(00.2) pie: 1: Error (criu/a.c:1): four
(00.2) Error (criu/a.c:1): five
(00.2) Error (criu/a.c:1): six
(00.3) Error (criu/cr-dump.c:2111): Dumping FAILED.
`
	if err := os.WriteFile(filepath.Join(dir, DumpLog), []byte(log), 0o644); err != nil {
		t.Fatal(err)
	}
	f := &Failure{Verb: "dump", Errno: unix.EBUSY, Reason: "the first"}
	f.Explain(dir, "missing")
	if got := f.Error(); got != "criu cannot dump (device or resource busy): the first" {
		t.Error(got)
	}
	f.Explain(dir, DumpLog)
	if got := errorOf("(00.100695) Can't connect to server 127.0.0.1:7798"); got != "cannot connect to the page server 127.0.0.1:7798" {
		t.Error(got)
	}
	want := "criu cannot dump (device or resource busy): two; three (of four): x; four; five; six (criu's log: " + dir + "/dump.log)"
	if got := f.Error(); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestSplitHostPort(t *testing.T) {
	for in, want := range map[string]string{
		"10.0.0.1:27": "10.0.0.1", "host:1": "host", "[::1]:65535": "::1",
		"": "", "host": "", ":1": "", "host:": "", "host:0": "", "host:65536": "", "::1:5": "", "[]:5": "", "host:x": "",
	} {
		got, _, err := splitHostPort(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
}

func TestCheck(t *testing.T) {
	if err := (&Options{CgroupsMode: "odd", PageServer: "x"}).Check(); err == nil ||
		!strings.Contains(err.Error(), "--manage-cgroups-mode") || !strings.Contains(err.Error(), "--page-server") {
		t.Error(err)
	}
	for _, mode := range []string{"", "soft", "full", "strict", "ignore"} {
		if err := (&Options{CgroupsMode: mode}).Check(); err != nil {
			t.Error(err)
		}
	}
}

func TestRequests(t *testing.T) {
	j := &Job{
		Options: Options{ParentPath: "../p", LeaveRunning: true, TCPEstablished: true, TCPSkipInFlight: true, LinkRemap: true, ExtUnixSk: true,
			ShellJob: true, FileLocks: true, AutoDedup: true, LazyPages: true, PageServer: "h:7", CgroupsMode: "strict", LSMProfile: "apparmor:x", LSMMountContext: "c"},
		Images: 5, Work: 6, Root: "/r", ConfigFile: "/c", NFTables: true, Pid: 9, FreezeCgroup: "/f", External: []string{"net[1]:x"},
		InheritFDs: []InheritFD{{"pipe:[1]", 0}}, Join: []Namespace{{"ipc", "/i"}}, CgroupRoots: []CgroupRoot{{"cpu", "/g"}}, Mounts: []Mount{{"/k", "/v"}},
	}
	req, err := j.dump()
	o := req.GetOpts()
	if err != nil || req.GetType() != rpc.CriuReqType_DUMP || o.GetPid() != 9 || o.GetImagesDirFd() != 5 || o.GetWorkDirFd() != 6 || o.GetLogFile() != DumpLog ||
		o.GetParentImg() != "../p" || !o.GetTrackMem() || o.GetPs().GetPort() != 7 || o.GetFreezeCgroup() != "/f" || !slices.Equal(o.External, j.External) ||
		o.GetManageCgroupsMode() != rpc.CriuCgMode_STRICT || o.GetNetworkLock() != rpc.CriuNetworkLockMethod_NFTABLES || o.GetConfigFile() != "/c" ||
		o.ExtMnt[0].GetKey() != "/k" || o.ExtMnt[0].GetVal() != "/v" || o.GetEmptyNs() != unix.CLONE_NEWNET {
		t.Errorf("%+v, %v", o, err)
	}
	for i, flag := range []bool{o.GetLeaveRunning(), o.GetTcpEstablished(), o.GetTcpSkipInFlight(), o.GetLinkRemap(), o.GetExtUnixSk(), o.GetShellJob(),
		o.GetFileLocks(), o.GetAutoDedup(), o.GetLazyPages(), o.GetNotifyScripts(), o.GetOrphanPtsMaster()} {
		if !flag {
			t.Errorf("flag %d of dump is not set", i)
		}
	}
	j.PreDump = true
	if req, _ := j.dump(); req.GetType() != rpc.CriuReqType_PRE_DUMP {
		t.Error(req.GetType())
	}
	req, err = j.restore()
	o = req.GetOpts()
	if err != nil || req.GetType() != rpc.CriuReqType_RESTORE || o.GetLogFile() != RestoreLog || !o.GetRstSibling() || o.GetRoot() != "/r" ||
		o.GetLsmProfile() != "apparmor:x" || o.GetLsmMountContext() != "c" || o.InheritFd[0].GetKey() != "pipe:[1]" || o.InheritFd[0].GetFd() != 0 ||
		o.JoinNs[0].GetNs() != "ipc" || o.JoinNs[0].GetNsFile() != "/i" || o.CgRoot[0].GetCtrl() != "cpu" || o.CgRoot[0].GetPath() != "/g" {
		t.Errorf("%+v, %v", o, err)
	}
	plain, err := (&Job{Work: -1}).restore()
	if o := plain.GetOpts(); err != nil || o.WorkDirFd != nil || o.ConfigFile != nil || o.NetworkLock != nil || o.LsmProfile != nil ||
		o.GetManageCgroupsMode() != rpc.CriuCgMode_DEFAULT {
		t.Errorf("%+v, %v", o, err)
	}
}
