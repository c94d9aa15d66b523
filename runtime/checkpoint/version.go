package checkpoint

import (
	"fmt"
	"os"

	"github.com/checkpoint-restore/go-criu/v8/rpc"
)

// MinVersion is the oldest criu that is used, 3.16: it freezes version 2 control groups, knows external pid
// namespaces, and gives another LSM profile. It is counted as criu counts: major, minor, sublevel.
const MinVersion = 31600

// CheckVersion refuses a criu that is too old.
func CheckVersion(program string) error {
	resp, err := ask(program, &rpc.CriuReq{Type: new(rpc.CriuReqType_VERSION)})
	if err != nil {
		return err
	}
	v := resp.GetVersion()
	number := int(v.GetMajorNumber())*10000 + int(v.GetMinorNumber())*100 + int(v.GetSublevel())
	if number < MinVersion {
		return fmt.Errorf("cannot use %s: it is version %d.%d, and 3.16 is needed", program, v.GetMajorNumber(), v.GetMinorNumber())
	}
	return nil
}

// CheckFeatures refuses options that criu cannot serve on this kernel.
func (o *Options) CheckFeatures(program string) error {
	if !o.PreDump && !o.LazyPages {
		return nil
	}
	want := &rpc.CriuFeatures{MemTrack: new(o.PreDump), LazyPages: new(o.LazyPages)}
	resp, err := ask(program, &rpc.CriuReq{Type: new(rpc.CriuReqType_FEATURE_CHECK), Features: want})
	if err != nil {
		return err
	}
	got := resp.GetFeatures()
	switch {
	case o.PreDump && !got.GetMemTrack():
		return fmt.Errorf("cannot use --pre-dump: criu or the kernel does not track changed memory (CONFIG_MEM_SOFT_DIRTY)")
	case o.LazyPages && !got.GetLazyPages():
		return fmt.Errorf("cannot use --lazy-pages: criu or the kernel has no userfaultfd(2) for it")
	}
	return nil
}

// ask has a criu of its own answer one question.
func ask(program string, req *rpc.CriuReq) (*rpc.CriuResp, error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	c, err := Start(program, [3]uintptr{null.Fd(), null.Fd(), null.Fd()})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.do(req, nil)
}
