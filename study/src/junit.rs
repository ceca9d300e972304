//! The report of a regression run as `JUnit` XML.

use crate::{Error, regress::Case};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

/// One test case for each kept result.
///
/// # Errors
///
/// When it cannot be expressed in XML.
pub fn report(cases: &[Case]) -> Result<String, Error> {
    let mut suite = TestSuite::new("milp regress");
    suite.add_test_cases(cases.iter().map(|case| {
        let status = if case.differences.is_empty() {
            TestCaseStatus::success()
        } else {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(format!("{} not as expected", case.differences.len()));
            status.set_description(case.differences.join("\n"));
            status
        };
        TestCase::new(case.name.as_str(), status)
    }));
    let mut report = Report::new("milp");
    report.add_test_suite(suite);
    report.to_string().map_err(|error| Error::Write {
        what: "the JUnit report",
        why: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_a_failure_with_its_words() {
        let case = |name: &str, differences: &[&str]| Case {
            name: name.into(),
            about: None,
            differences: differences.iter().map(|text| (*text).to_owned()).collect(),
        };
        let xml = report(&[
            case("n4", &[]),
            case("dbft1/n4", &["primal: expected 2, found <1>"]),
        ])
        .unwrap();
        assert!(
            xml.contains(r#"tests="2""#) && xml.contains(r#"failures="1""#),
            "{xml}"
        );
        assert!(xml.contains("primal: expected 2, found &lt;1&gt;"), "{xml}");
    }
}
