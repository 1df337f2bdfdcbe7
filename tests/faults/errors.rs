use otp_kit::prelude::*;

use crate::engine::{Corner, Engine};
use crate::proxy::{Line, Proxy};

/// F06 and F08, and answers that no script gives.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Redis: set TEST_REDIS_URL (./test.sh does)"]
async fn whatever_a_redis_says_instead_of_an_answer_is_an_outage_and_no_success() {
    let corner = Corner::shared(Engine::Redis).await;
    let proxy = Proxy::before(corner.server()).await;
    let service = corner.through(proxy.address()).service().await;
    let answers: [&[u8]; 14] = [
        b"-READONLY You can't write against a read only replica.\r\n",
        b"-LOADING Redis is loading the dataset in memory\r\n",
        b"-MASTERDOWN Link with MASTER is down\r\n",
        b"-CLUSTERDOWN The cluster is down\r\n",
        b"-MOVED 3999 127.0.0.1:1\r\n",
        b"-ASK 3999 127.0.0.1:1\r\n",
        b"-TRYAGAIN Multiple keys request during rehashing of slot\r\n",
        b"-OOM command not allowed when used memory > 'maxmemory'.\r\n",
        b"-BUSY Redis is busy running a script.\r\n",
        b"-NOAUTH Authentication required.\r\n",
        b"+OK\r\n",
        b":1\r\n",
        b"*2\r\n$1\r\n0\r\n$2\r\nok\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
    ];
    for (person, answer) in (0..).zip(answers) {
        let text = String::from_utf8_lossy(answer);
        service.recovers(100 + person).await;
        let (id, code) = service.issue(person).await;
        proxy.set(Line::Answers(answer));
        let verified = service.verify(&id, &code, "try").await;
        assert!(
            matches!(verified, Err(VerifyError::Unavailable(_))),
            "{text}: {verified:?}"
        );
        let sent = service.outbox.len();
        let issued = service.start(200 + person).await;
        assert!(
            matches!(issued, Err(IssueError::Unavailable(_))),
            "{text}: {issued:?}"
        );
        assert_eq!(service.outbox.len(), sent, "{text}");
        proxy.set(Line::Whole);
    }
}
